"""Reads JSON bodies strictly, before any model sees them, and refuses other content types."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from fastapi.utils import create_model_field
from typing_extensions import override

from engine.digest import read_json
from engine.errors import EngineError, Invalid

JSON: Final = "application/json"

_UNREADABLE: Final = "signoff.unreadable"
_NOTHING_FITS: Final = object()  # fails every model, so that what could not be read is never used

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose JSON has one meaning: no key twice, no NaN, no depth, not too many keys.

    What is wrong with the body is kept until the caller is known: strangers are told that they are
    strangers, and nothing about what they sent.
    """

    @override
    async def json(self) -> Any:
        if _UNREADABLE in self.scope:
            return _NOTHING_FITS
        try:
            return _strict(await self.body())
        except EngineError as error:
            self.scope[_UNREADABLE] = error
            return _NOTHING_FITS


class StrictRoute(APIRoute):
    """A route whose body is strict JSON, and nothing else.

    Its answers are written as they are: of what they look like only the description speaks, and it is made
    for that.
    """

    @override
    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        answers = how.pop("response_model", None)
        self._answers = None if isinstance(answers, DefaultPlaceholder) else answers
        super().__init__(path, endpoint, response_model=None, **how)

    def describe(self) -> None:
        """Say what the answer looks like."""
        if self._answers is not None and self.response_field is None:
            self.response_model = self._answers
            self.response_field = create_model_field(
                name=f"Response_{self.unique_id}", type_=self._answers, mode="serialization"
            )

    @override
    def get_route_handler(self) -> Endpoint:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None and _has_body(request) and not _is_json(request):
                strict.scope[_UNREADABLE] = Invalid(
                    f"Send the body as {JSON}.", code="unsupported_media_type"
                )
            return await handle(strict)

        return strictly


def unreadable(request: Request) -> EngineError | None:
    """Why the body could not be read; None when it could."""
    found: EngineError | None = request.scope.get(_UNREADABLE)
    return found


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in request.headers


def _is_json(request: Request) -> bool:
    said, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    return said.strip() == JSON and charset in {"", "utf-8"}


def _strict(body: bytes) -> object:
    value = read_json(body)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Invalid(
            "The body holds half a surrogate pair, which is no text.", code="bad_json"
        ) from None
    return value
