"""The tests need no network: each of them runs as if there were none."""

import errno
import socket

import pytest

from engine.errors import EgressFailed
from engine.http import Egress
from tests.offline import is_here

ELSEWHERE = "192.0.2.1"  # for documentation: nobody has it


@pytest.mark.parametrize("name", ["example.com", b"example.org", "nobody.invalid"])
def test_no_name_of_others_is_looked_up(name: str | bytes) -> None:
    with pytest.raises(socket.gaierror, match="offline"):
        socket.getaddrinfo(name, 443)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_nobody_else_is_connected_to(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as line, pytest.raises(OSError, match="offline") as no:
        line.connect((ELSEWHERE, 443))

    assert no.value.errno == errno.ENETUNREACH


@pytest.mark.anyio
async def test_what_the_product_sends_goes_nowhere() -> None:
    with pytest.raises(EgressFailed):
        await Egress().request("GET", "https://example.com/", headers={}, content=b"")


def test_this_machine_is_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

    assert all(map(is_here, ["127.0.0.1", "::1", "localhost", None, b"127.0.0.1"]))
    assert not any(map(is_here, ["8.8.8.8", "2001:db8::1", "10.0.0.1", "example.com"]))
