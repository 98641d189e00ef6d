"""Traces: one run's spans, for people and for programs that keep traces."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from bot.application import VERSION
from bot.tracing.otlp import request, span_json
from bot.web.api import tracing_shapes as shapes
from bot.web.api.paging import Id
from bot.web.callers import Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.clock import iso
from engine.ids import RunId
from engine.rules.spans import Happening, Span
from engine.services import tracing
from engine.store.steps import money_and_tokens

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)


@router.get(
    "/{id}/trace",
    summary="Read a run's trace",
    response_model=shapes.Trace,
    responses=refusals(404),
)
async def trace(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """Spans of the run and of what it started: what took how long, what it cost, and how it ended."""
    found = await application.database.read(
        lambda tx: tracing.of_run(tx, application.tenant, RunId(id))
    )
    spans = [_line(span) for each in found for span in each.spans]
    return JSONResponse({"trace_id": found[0].thread.trace, "spans": spans})


@router.get(
    "/{id}/trace/otlp",
    summary="Read a run's trace as OTLP",
    response_model=shapes.Otlp,
    responses=refusals(404),
)
async def otlp(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """The same as the body of a request to `/v1/traces` of any collector that speaks OTLP over HTTP."""
    found = await application.database.read(
        lambda tx: tracing.of_run(tx, application.tenant, RunId(id))
    )
    spans = [span_json(span, each.thread) for each in found for span in each.spans]
    return JSONResponse(request(spans, version=VERSION))


def _line(span: Span) -> dict[str, Any]:
    return {
        "id": span.id,
        "parent": span.parent,
        "kind": span.kind,
        "name": span.name,
        "began_at": iso(span.began_at),
        "ended_at": None if span.ended_at is None else iso(span.ended_at),
        "outcome": span.outcome,
        **money_and_tokens(span.cost),
        "attributes": dict(span.facts),
        "events": [_event(each) for each in span.happened],
    }


def _event(happening: Happening) -> dict[str, Any]:
    return {
        "name": happening.name,
        "at": iso(happening.at),
        "attributes": dict(happening.facts),
    }
