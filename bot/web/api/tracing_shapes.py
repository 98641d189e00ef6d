"""What is answered about traces, as described."""

from datetime import datetime
from typing import Any

from pydantic import Field

from bot.web.api.changed_shapes import Answer


class Moment(Answer):
    """What happened at one moment of a span, such as a vote or a failed attempt."""

    name: str
    at: datetime
    attributes: dict[str, Any]


class Span(Answer):
    """Something that took time; `ended_at` is null while it is under way."""

    id: str
    parent: str | None
    kind: str
    name: str
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    cost: str | None
    tokens: int | None
    attributes: dict[str, Any]
    events: list[Moment]


class Trace(Answer):
    """A run with all that it started, as spans in the order in which they began, run by run."""

    trace_id: str
    spans: list[Span]


class Otlp(Answer):
    """An `ExportTraceServiceRequest` in JSON."""

    resource_spans: list[dict[str, Any]] = Field(alias="resourceSpans")
