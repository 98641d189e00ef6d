"""A collector that takes OTLP over HTTP in JSON, and nothing that is not."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bot.demo.serving import served

NANOS: Final = r"^[1-9][0-9]{18}$"
HEX: Final = r"^0*[1-9a-f][0-9a-f]*$"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Value(Strict):
    string_value: str | None = None
    int_value: str | None = Field(default=None, pattern=r"^-?[0-9]{1,19}$")
    bool_value: bool | None = None


class Attribute(Strict):
    key: str = Field(min_length=1)
    value: Value


class Happened(Strict):
    time_unix_nano: str = Field(pattern=NANOS)
    name: str
    attributes: list[Attribute]


class Status(Strict):
    code: int = Field(default=0, ge=0, le=2)
    message: str = ""


class Span(Strict):
    trace_id: str = Field(pattern=HEX, min_length=32, max_length=32)
    span_id: str = Field(pattern=HEX, min_length=16, max_length=16)
    parent_span_id: str | None = Field(default=None, pattern=HEX, min_length=16, max_length=16)
    name: str = Field(min_length=1)
    kind: int = Field(ge=1, le=5)
    start_time_unix_nano: str = Field(pattern=NANOS)
    end_time_unix_nano: str = Field(pattern=NANOS)
    attributes: list[Attribute]
    events: list[Happened]
    dropped_events_count: int
    status: Status
    flags: int

    def fact(self, key: str) -> object:
        """What an attribute says."""
        for each in self.attributes:
            if each.key == key:
                value = each.value
                return value.string_value or value.int_value or value.bool_value
        return None


class _Scope(Strict):
    name: str
    version: str


class _Scoped(Strict):
    scope: _Scope
    spans: list[Span]


class _Resource(Strict):
    attributes: list[Attribute]


class _Resourced(Strict):
    resource: _Resource
    scope_spans: list[_Scoped]


class Export(Strict):
    """An `ExportTraceServiceRequest`."""

    resource_spans: list[_Resourced]

    def spans(self) -> list[Span]:
        """All spans in it."""
        return [
            span
            for each in self.resource_spans
            for in_scope in each.scope_spans
            for span in in_scope.spans
        ]


@dataclass
class Keeper:
    """What arrived; `answers` are the next statuses, and 200 where there is none."""

    url: str = ""
    answers: list[int] = field(default_factory=list[int])
    spans: list[Span] = field(default_factory=list[Span])
    wrong: list[str] = field(default_factory=list[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    text: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await self._take(Request(scope, receive))
            await response(scope, receive, send)

    async def _take(self, request: Request) -> JSONResponse:
        self.headers.append(dict(request.headers))
        body = await request.body()
        if self.answers and (status := self.answers.pop(0)) != 200:
            return JSONResponse({}, status)
        if (
            request.url.path != "/v1/traces"
            or request.headers["content-type"] != "application/json"
        ):
            self.wrong.append(f"{request.url.path} {request.headers['content-type']}")
            return JSONResponse({}, 404)
        return self._keep(body)

    def _keep(self, body: bytes) -> JSONResponse:
        try:
            found = Export.model_validate_json(body).spans()
        except ValidationError as error:
            self.wrong.append(str(error))
            return JSONResponse({}, 400)
        self.wrong += [
            f"{each.name} ends before it begins" for each in found if not _is_forward(each)
        ]
        self.spans += found
        self.text += body.decode()
        return JSONResponse({"partialSuccess": {}})

    def named(self, name: str) -> Span:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def names(self) -> list[str]:
        """What arrived, in order."""
        return [re.sub(r"run_[0-9a-f]+", "run", span.name) for span in self.spans]


def _is_forward(span: Span) -> bool:
    return int(span.start_time_unix_nano) <= int(span.end_time_unix_nano)


@asynccontextmanager
async def collector() -> AsyncGenerator[Keeper]:
    """A collector that listens on this machine."""
    made: Any = Keeper()
    async with served(made) as url:
        made.url = f"{url}/v1/traces"
        yield made
