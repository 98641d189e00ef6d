"""How things stand, for those who watch: health, readiness, numbers and metrics."""

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from bot.web.api import operating
from bot.web.api.measures import Measures
from bot.web.callers import Reader, Scoped, visitor_or_none
from bot.web.description import Responses, refusals
from bot.web.places import is_this_machine
from bot.web.reading import StrictRoute
from bot.web.state import Served, shared_of
from engine.errors import NotAllowed
from engine.services import keys, statistics
from engine.services.keys import Scope
from engine.services.statistics import DecisionTimes

router = APIRouter(tags=["watching"], route_class=StrictRoute)

_READY: Responses = {
    200: {"description": "It takes requests. A failing channel is named and keeps nothing back."},
    503: {
        "description": "The store takes no writes; `code` says why.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
}
_METRICS: Responses = {
    200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {}}}}
}


@router.get(
    "/healthz",
    summary="Say whether the process lives",
)
async def healthz() -> JSONResponse:
    """Whether the process answers at all."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Say whether it can take work", responses=_READY)
async def readyz(request: Request) -> JSONResponse:
    """Whether the store takes writes, and what each channel last said of itself, at most a minute ago."""
    shared = shared_of(request)
    channels = await shared.health.said()
    if (trouble := await shared.store.trouble()) is not None:
        failing = {"ready": False, "database": "failing", "code": trouble.code}
        return JSONResponse({**failing, "channels": channels}, 503)
    return JSONResponse({"ready": True, "database": "ok", "channels": channels})


@router.get(
    "/api/stats",
    summary="Count runs, approvals and messages",
    response_model=operating.Stats,
    responses=refusals(),
)
async def stats(_caller: Reader, application: Scoped) -> JSONResponse:
    """How many runs, approvals and messages there are in each state, and how long people take."""
    found = await application.database.read(lambda tx: statistics.gather(tx, application.tenant))
    return JSONResponse(
        {
            "runs": found.runs,
            "approvals": found.approvals,
            "outbox": found.outbox,
            "time_to_decision": _times(found.decisions),
        }
    )


@router.get(
    "/metrics",
    summary="Measures for Prometheus",
    response_class=Response,
    responses={**_METRICS, **refusals()},
)
async def metrics(request: Request, application: Served) -> Response:
    """The same for Prometheus: of one's own tenant for readers, of all for whoever calls from this machine."""
    visitor = await visitor_or_none(request)
    if visitor is not None:
        keys.demand(visitor.caller, Scope.READ)
    elif not is_this_machine(request):
        raise NotAllowed("Send a key with the scope read.", code="not_signed_in")
    if visitor is not None and visitor.via != "local":
        own = visitor.caller.tenant
        gathered = await application.database.of(own).read(lambda tx: statistics.gather(tx, own))
        found = {own: gathered}
    else:
        found = await application.database.read(statistics.gather_all)
    registry = CollectorRegistry()
    registry.register(Measures(found))
    measures = shared_of(request).measures
    await measures.look()
    registry.register(measures.of(found))
    traffic = generate_latest(shared_of(request).traffic.registry)
    return Response(generate_latest(registry) + traffic, media_type=CONTENT_TYPE_LATEST)


def _times(decisions: DecisionTimes) -> dict[str, Any]:
    median, p90 = decisions.quantile(0.5), decisions.quantile(0.9)
    return {
        "count": decisions.count,
        "median_s": None if median is None else median.total_seconds(),
        "p90_s": None if p90 is None else p90.total_seconds(),
    }
