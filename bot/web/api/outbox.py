"""The outbox, for operators: what waits, what is dead, and sending the dead again."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api import operating
from bot.web.api.paging import Cursor, Limit, cut
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.clock import iso
from engine.ids import DeliveryId
from engine.services import deliveries
from engine.store.deliveries import OutboxLine

router = APIRouter(prefix="/api/outbox", tags=["outbox"], route_class=StrictRoute)


class DeliveryStatus(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class RedriveBody(BaseModel):
    """Which dead message to send again; without one, all of them."""

    model_config = ConfigDict(extra="forbid")

    delivery: Annotated[str | None, Field(max_length=100)] = None


@router.get(
    "", summary="List messages to be sent", response_model=operating.Outbox, responses=refusals()
)
async def listing(
    caller: Operator,
    application: Scoped,
    status: Annotated[DeliveryStatus | None, Query(description="Only those like this.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JSONResponse:
    """Messages, newest first, and how many there are in each state."""
    found, counts = await application.database.read(
        lambda tx: (
            deliveries.listing(tx, caller.tenant, status=status, before=cursor, limit=limit + 1),
            deliveries.counts(tx, caller.tenant),
        )
    )
    page, last = cut(found, limit)
    lines = [_line(line) for line in page]
    following = None if last is None else last.id
    return JSONResponse({"deliveries": lines, "counts": counts, "next": following})


@router.post(
    "/redrive",
    summary="Send dead messages again",
    response_model=operating.Redriven,
    responses=refusals(404, 413, 415),
)
async def redrive(
    caller: Operator, application: Scoped, body: RedriveBody | None = None
) -> JSONResponse:
    """Send dead messages again, as if they had never been tried."""
    delivery = None if body is None or body.delivery is None else DeliveryId(body.delivery)
    again = await application.database.write(
        lambda tx: deliveries.redrive(tx, caller.tenant, delivery)
    )
    return JSONResponse({"redriven": again})


def _line(line: OutboxLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "approval": line.approval,
        "channel": line.channel,
        "address": line.address,
        "kind": line.kind,
        "event": line.event,
        "status": line.status,
        "attempts": line.attempts,
        "error": line.error,
        "created_at": iso(line.created_at),
        "due_at": iso(line.due_at),
        "ended_at": None if line.ended_at is None else iso(line.ended_at),
    }
