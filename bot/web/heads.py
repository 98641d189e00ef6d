"""Reads HTTP with llhttp's parser, bounds what a request may hold besides its body, and writes an answer at once."""

import asyncio
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX: Final = 64 * 1024  # the line, the headers, and what frames the pieces of a body


class BoundedProtocol(HttpToolsProtocol):
    """The parser itself bounds nothing: headers, and trailers behind a body, could fill all memory.

    Trailers are dropped: nothing that comes behind a body may be taken for a header.
    """

    _beside_body = 0
    _is_past_head = False

    @override
    def data_received(self, data: bytes) -> None:
        if not isinstance(self.transport, Gathering):
            self.transport = Gathering(self.transport, self.loop)
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    @override
    def on_message_begin(self) -> None:
        self._is_past_head = False
        super().on_message_begin()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_past_head:
            super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._is_past_head = True
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._beside_body -= len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._beside_body = 0
        super().on_message_complete()


class Gathering(asyncio.Transport):
    """Sends what one turn of the loop writes as one: uvicorn writes an answer's head and its body apart."""

    def __init__(self, beneath: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._beneath, self._loop = beneath, loop
        self._waiting: list[bytes | bytearray | memoryview] = []

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(data)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._beneath.is_closing():
            self._beneath.write(b"".join(waiting))

    @override
    def close(self) -> None:
        self._send()
        self._beneath.close()

    @override
    def abort(self) -> None:
        self._beneath.abort()

    @override
    def is_closing(self) -> bool:
        return self._beneath.is_closing()

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._beneath.get_extra_info(name, default)
