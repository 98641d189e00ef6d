"""The record, for operators: the audit's entries, whether every chain holds, anchors, and an export."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, StreamingResponse

from bot.record_csv import rows_of
from bot.web.api import record_shapes as shapes
from bot.web.api.paging import Limit, Position, cut
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import TenantId
from engine.services import anchoring, auditing, exporting
from engine.services.auditing import AuditLine
from engine.services.exporting import Place
from engine.store.anchors import Anchor
from engine.store.database import Transaction

router = APIRouter(prefix="/api/audit", tags=["audit"], route_class=StrictRoute)

Kind = Annotated[
    str | None, Query(max_length=100, description="Only those whose kind begins like this.")
]


@router.get("", summary="List the audit", response_model=shapes.AuditPage, responses=refusals())
async def listing(
    caller: Operator,
    application: Scoped,
    kind: Kind = None,
    cursor: Position = None,
    limit: Limit = 50,
) -> JSONResponse:
    """What has no run: sign-ins, keys, refused votes and changed settings, newest first."""
    before = None if cursor is None else int(cursor)
    found = await application.database.read(
        lambda tx: auditing.page(tx, caller.tenant, kind=kind, before=before, limit=limit + 1)
    )
    page, last = cut(found, limit)
    following = None if last is None else str(last.position)
    return JSONResponse({"entries": [line_json(line) for line in page], "next": following})


@router.get(
    "/verify", summary="Verify the record", response_model=shapes.Verified, responses=refusals()
)
async def verify(caller: Operator, application: Scoped) -> JSONResponse:
    """Walk every chain, and say what is not as it was written, and what no anchor tells of yet."""
    report = await auditing.verify(application.database, caller.tenant, trusted=application.trusted)
    return JSONResponse(report.to_json())


@router.get(
    "/key", summary="Read the key of anchors", response_model=shapes.Key, responses=refusals()
)
async def key(_caller: Operator, application: Scoped) -> JSONResponse:
    """The public key that signs anchors, and those that signed earlier ones and still count."""
    public, *earlier = application.trusted
    return JSONResponse({"key": public, "earlier": earlier})


@router.get(
    "/anchors", summary="List anchors", response_model=shapes.AnchorPage, responses=refusals()
)
async def list_anchors(
    caller: Operator, application: Scoped, cursor: Position = None, limit: Limit = 50
) -> JSONResponse:
    """The anchors, oldest first, each as it is kept outside."""
    after = 0 if cursor is None else int(cursor)
    found = await application.database.read(
        lambda tx: anchoring.listing(tx, caller.tenant, after=after, limit=limit + 1)
    )
    page, last = cut(found, limit)
    following = None if last is None else str(last.number)
    return JSONResponse({"anchors": [anchor_json(each) for each in page], "next": following})


@router.post(
    "/anchors",
    summary="Anchor the record",
    status_code=201,
    response_model=shapes.AnchorPage,
    responses=refusals(),
)
async def anchor(caller: Operator, application: Scoped) -> JSONResponse:
    """Sign how far every chain has come, and keep that outside; nothing, if no chain has grown."""
    rounds = application.anchoring
    if rounds is None:
        made = await anchoring.anchor_all(application.database, caller.tenant, application.signer)
    else:
        made = await rounds.anchor(caller.tenant)
    return JSONResponse({"anchors": [anchor_json(each) for each in made], "next": None}, 201)


@router.get(
    "/export", summary="Export the record", response_model=shapes.Exported, responses=refusals()
)
async def export(
    *,
    caller: Operator,
    application: Scoped,
    cursor: Annotated[
        str | None,
        Query(
            pattern=r"^[a-z]{3,7}~[A-Za-z0-9_-]{0,100}$", description="`next` of the page before."
        ),
    ] = None,
    readable: Annotated[
        bool, Query(description="With what people wrote, as it is read; such lines prove nothing.")
    ] = False,
) -> JSONResponse:
    """The whole record, page by page, as lines that prove themselves without a database."""

    def page(tx: Any) -> tuple[list[str], Place | None]:
        lines, following = exporting.page(tx, caller.tenant, Place.read(cursor))
        if cursor is None:
            lines.insert(0, exporting.first(tx, caller.tenant, application.signer.public))
        told = exporting.readable(tx, caller.tenant, lines) if readable else lines
        return told, following

    lines, following = await application.database.read(page)
    return JSONResponse({"lines": lines, "next": None if following is None else str(following)})


def _part(
    tx: Transaction, *, tenant: TenantId, place: Place, is_readable: bool
) -> tuple[list[str], Place | None]:
    told, following = exporting.page(tx, tenant, place)
    return exporting.readable(tx, tenant, told) if is_readable else told, following


def line_json(line: AuditLine) -> dict[str, Any]:
    """An entry of the audit as it is answered."""
    return {
        "position": line.position,
        "kind": line.kind,
        "data": line.data,
        "at": line.at,
        "hash": line.hash,
        "previous": line.previous,
    }


def anchor_json(anchor: Anchor) -> dict[str, Any]:
    """An anchor as it is answered, and as it is kept outside."""
    return {"statement": anchor.statement, "signature": anchor.signature}


async def streamed(application: Scoped, *, as_csv: bool) -> StreamingResponse:
    """The whole export as one download, made while it is sent."""
    tenant, database = application.tenant, application.database
    public = application.signer.public

    async def parts() -> AsyncGenerator[bytes]:
        lines = [await database.read(lambda tx: exporting.first(tx, tenant, public))]
        place: Place | None = Place()
        while place is not None:
            part = partial(_part, tenant=tenant, place=place, is_readable=as_csv)
            more, place = await database.read(part)
            lines += more
            yield "".join(rows_of(lines) if as_csv else (f"{line}\n" for line in lines)).encode()
            lines = []

    media, name = ("text/csv", "audit.csv") if as_csv else ("application/jsonl", "audit.jsonl")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts(), media_type=f"{media}; charset=utf-8", headers=headers)
