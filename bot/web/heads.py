"""Reads HTTP with llhttp's parser, and bounds what a request may hold besides its body."""

from typing import Final

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
