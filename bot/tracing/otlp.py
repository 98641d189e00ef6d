"""Spans as OTLP over HTTP has them in JSON: ids in hex, nanoseconds and whole numbers as text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from engine.clock import micros
from engine.rules.spans import Fact, Happening, Span, money_facts
from engine.rules.threads import Thread

SCOPE: Final = "signoff"
INTERNAL: Final = 1
SERVER: Final = 2
PRODUCER: Final = 4
_KINDS: Final[Mapping[str, int]] = {"run": SERVER, "delivery": PRODUCER}
_ERROR: Final = 2


def request(
    spans: Iterable[Mapping[str, Any]], *, version: str, instance: str | None = None
) -> dict[str, Any]:
    """The body of one request with these spans, which `span_json` made."""
    about: dict[str, Fact] = {"service.name": "signoff", "service.version": version}
    if instance is not None:
        about["service.instance.id"] = instance
    scope = {"name": SCOPE, "version": version}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(about)},
                "scopeSpans": [{"scope": scope, "spans": list(spans)}],
            }
        ]
    }


def span_json(span: Span, thread: Thread) -> dict[str, Any]:
    """One span; one that is under way ends, for now, when its last happening did."""
    last = max((each.at for each in span.happened), default=span.began_at)
    facts = {"signoff.kind": span.kind, **span.facts, **money_facts(span.cost)}
    if span.outcome is not None:
        facts["signoff.outcome"] = span.outcome
    found: dict[str, Any] = {
        "traceId": thread.trace,
        "spanId": span.id,
        "name": span.name,
        "kind": _KINDS.get(span.kind, INTERNAL),
        "startTimeUnixNano": _nanos(span.began_at),
        "endTimeUnixNano": _nanos(span.ended_at or last),
        "attributes": _attributes(facts),
        "events": [_event(each) for each in span.happened],
        "droppedEventsCount": span.left_out,
        "status": {"code": _ERROR, "message": span.outcome} if span.is_bad else {},
        "flags": int(thread.is_sampled),
    }
    if span.parent is not None:
        found["parentSpanId"] = span.parent
    return found


def _event(happening: Happening) -> dict[str, Any]:
    return {
        "timeUnixNano": _nanos(happening.at),
        "name": happening.name,
        "attributes": _attributes(happening.facts),
    }


def _attributes(facts: Mapping[str, Fact]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(fact)} for key, fact in facts.items()]


def _value(fact: Fact) -> dict[str, Any]:
    if isinstance(fact, bool):
        return {"boolValue": fact}
    if isinstance(fact, int):
        return {"intValue": str(fact)}
    return {"stringValue": fact}


def _nanos(moment: datetime) -> str:
    return str(micros(moment) * 1000)
