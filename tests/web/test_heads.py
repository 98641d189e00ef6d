"""What a request may hold besides its body is bounded, and what comes behind a body is no header."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bot.demo.serving import served
from bot.web.heads import HEAD_BYTES_MAX, BoundedProtocol

pytestmark = pytest.mark.anyio

POST = b"POST / HTTP/1.1\r\nHost: here\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


async def telling(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the body was and which headers there are."""
    request = Request(scope, receive)
    body = await request.body()
    answer = JSONResponse({"body": len(body), "headers": sorted(set(request.headers))})
    await answer(scope, receive, send)


class Line:
    """One connection, spoken to in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def hear(self) -> str:
        """One answer's status line and body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        (length,) = [line.split(": ")[1] for line in head.split("\r\n") if "content-length" in line]
        body = await self.reader.readexactly(int(length))
        return head.partition("\r\n")[0] + " " + body.decode()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with served(telling, protocol=BoundedProtocol) as url:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        yield Line(reader, writer)
        writer.close()


async def test_a_head_that_never_ends_is_refused(line: Line) -> None:
    await line.say(POST, b"X-Long: ", b"a" * HEAD_BYTES_MAX)

    assert (await line.hear()).startswith("http/1.1 400 bad request The head")
    assert await line.reader.read() == b""


async def test_many_headers_are_refused_like_a_long_one(line: Line) -> None:
    await line.say(POST, *(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(66)))

    assert (await line.hear()).startswith("http/1.1 400 ")


async def test_trailers_without_end_are_refused(line: Line) -> None:
    await line.say(CHUNKED, b"3\r\nabc\r\n0\r\n", b"X-Late: ", b"a" * HEAD_BYTES_MAX)

    heard = await line.reader.read()

    assert heard.startswith(b"HTTP/1.1 400 ")


async def test_a_trailer_is_no_header(line: Line) -> None:
    await line.say(CHUNKED, b"3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n")

    assert (await line.hear()).endswith('{"body":3,"headers":["host","transfer-encoding"]}')


async def test_a_long_body_in_pieces_is_no_long_head(line: Line) -> None:
    piece = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"

    await line.say(CHUNKED, *[piece] * 256, b"0\r\n\r\n")

    assert '{"body":1048576,' in await line.hear()


async def test_an_answer_comes_whole_and_pipelined_ones_in_their_order(line: Line) -> None:
    await line.say(*[POST + b"Content-Length: %d\r\n\r\n" % n + b"a" * n for n in range(1, 9)])

    heard = [await line.hear() for _number in range(8)]

    assert [f'"body":{number},' in each for number, each in enumerate(heard, 1)] == [True] * 8


async def test_whoever_wants_the_connection_closed_hears_the_answer_first(line: Line) -> None:
    await line.say(POST + b"Connection: close\r\nContent-Length: 2\r\n\r\nok")

    heard = await line.reader.read()

    assert b'"body":2' in heard


async def test_each_request_of_a_connection_has_its_own_bounds(line: Line) -> None:
    request = POST + b"X-Long: " + b"a" * 30_000 + b"\r\nContent-Length: 2\r\n\r\nok"
    heard = []
    for _number in range(5):
        await line.say(request)
        heard.append(await line.hear())

    assert ['"body":2' in each for each in heard] == [True] * 5
