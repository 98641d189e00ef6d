"""Outgoing calls: never the inside of our own network, and always an honest account of the end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest

from engine.errors import EgressFailed
from engine.http import Egress, app_client, plain_client
from engine.outgoing import EgressRefused

pytestmark = pytest.mark.anyio

LOOPBACK = ip_network("127.0.0.0/8")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HOSTILE = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///path",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com:22/",
    "https://example.com:8443/",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com/\r\nHost: evil",
    "https://example.com/\x00",
    "https://127.0.0.1/",
    "https://127.0.0.1:443/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://127.0.0.1./",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::7f00:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[4000::1]/",
    "https://" + "a" * 3000 + ".example/",
]


def leads_to(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolver


@asynccontextmanager
async def listening(serve: Serve) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A server on a free port of this machine, and the heads of the requests it got."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def answering(raw: bytes) -> Serve:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return serve


async def never(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def local(*addresses: str) -> Egress:
    return Egress(allow_nets=[LOOPBACK], resolver=leads_to(*(addresses or ("127.0.0.1",))))


@pytest.mark.parametrize("url", HOSTILE)
async def test_a_hostile_url_is_refused(url: str) -> None:
    egress = Egress(resolver=leads_to("93.184.216.34"))

    with pytest.raises(EgressRefused):
        await egress.request("POST", url)


@pytest.mark.parametrize("inside", ["127.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "0.0.0.0"])
async def test_one_inner_address_among_public_ones_refuses_the_name(inside: str) -> None:
    egress = Egress(resolver=leads_to("93.184.216.34", inside))

    with pytest.raises(EgressRefused, match="SIGNOFF_WEBHOOK_ALLOW_NETS") as refused:
        await egress.request("POST", "https://erp.example.com/hook?token=hush")

    assert refused.value.rule == "address"
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("CONNECT", {}),
        ("GET ", {}),
        ("GET", {"Host": "evil"}),
        ("GET", {"transfer-encoding": "chunked"}),
        ("GET", {"Proxy-Authorization": "x"}),
        ("GET", {"X-Name": "a\r\nHost: evil"}),
        ("GET", {"X Name": "a"}),
        ("GET", {"X-Name": "ü"}),
    ],
)
async def test_a_message_that_speaks_for_the_client_is_refused(
    method: str, headers: dict[str, str]
) -> None:
    with pytest.raises(EgressRefused):
        await local().request(method, "http://erp.example.com/", headers=headers)


async def test_an_allowed_network_does_not_open_the_others() -> None:
    egress = Egress(allow_nets=[LOOPBACK], resolver=leads_to("127.0.0.1", "10.0.0.1"))

    with pytest.raises(EgressRefused):
        await egress.request("GET", "http://erp.example.com:8080/")


async def test_a_name_server_that_changes_its_mind_is_asked_only_once() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with listening(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as (port, _heard):
        answer = await Egress(allow_nets=[LOOPBACK], resolver=rebinding).request(
            "GET", f"http://erp.example.com:{port}/"
        )

    assert answer.status == 204
    assert asked == ["erp.example.com"]


async def test_a_public_name_rebound_to_loopback_reaches_nobody() -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as (port, heard):
        egress = Egress(resolver=leads_to("127.0.0.1"), ports=frozenset({port}), allow_http=True)
        with pytest.raises(EgressRefused):
            await egress.request("GET", f"http://erp.example.com:{port}/")

    assert heard == []


async def test_a_redirect_is_an_answer() -> None:
    raw = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"

    async with listening(answering(raw)) as (port, heard):
        answer = await local().request("POST", f"http://erp.example.com:{port}/")

    assert answer.status == 302
    assert len(heard) == 1


async def test_a_huge_body_is_cut() -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)) as (port, _):
        answer = await local().request("GET", f"http://erp.example.com:{port}/", body_cap=1000)

    assert (answer.status, len(answer.body), answer.cut) == (200, 1000, True)


async def test_a_body_compressed_unasked_is_not_unpacked() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"

    async with listening(answering(raw)) as (port, heard):
        answer = await local().request("GET", f"http://erp.example.com:{port}/")

    assert (answer.body, answer.cut) == (b"", True)
    assert b"accept-encoding: identity" in heard[0].lower()


async def test_silence_after_the_request_is_ambiguous() -> None:
    async with listening(never) as (port, _heard):
        with pytest.raises(EgressFailed) as failed:
            await local().request(
                "POST", f"http://erp.example.com:{port}/", timeout=timedelta(milliseconds=100)
            )

    assert failed.value.ambiguous


async def test_a_connection_dropped_after_the_request_is_ambiguous() -> None:
    async with listening(answering(b"")) as (port, _heard):
        with pytest.raises(EgressFailed) as failed:
            await local("127.0.0.1", "127.0.0.2").request("POST", f"http://a.example:{port}/")

    assert failed.value.ambiguous


async def test_a_closed_port_is_certainly_no_effect() -> None:
    async with listening(never) as (port, _heard):
        pass

    with pytest.raises(EgressFailed) as failed:
        await local().request("POST", f"http://erp.example.com:{port}/")

    assert not failed.value.ambiguous


async def test_a_name_without_an_address_is_certainly_no_effect() -> None:
    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("name or service not known")

    with pytest.raises(EgressFailed, match="cannot be resolved") as failed:
        await Egress(resolver=unknown).request("GET", "https://nowhere.example/")

    assert not failed.value.ambiguous


async def test_a_slow_name_server_counts_towards_the_timeout() -> None:
    async def silent(_host: str, _port: int) -> Sequence[str]:
        await asyncio.get_running_loop().create_future()
        return []

    with pytest.raises(EgressFailed) as failed:
        await Egress(resolver=silent).request(
            "GET", "https://slow.example/", timeout=timedelta(milliseconds=20)
        )

    assert not failed.value.ambiguous


async def test_tls_is_spoken_with_the_name_and_not_with_the_address() -> None:
    async with listening(answering(b"")) as (port, heard):
        with pytest.raises(EgressFailed) as failed:
            await local().request("POST", f"https://erp.example.com:{port}/")

    assert b"erp.example.com" in heard[0]
    assert not failed.value.ambiguous


async def test_the_next_address_is_tried_when_the_first_takes_no_connection() -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as (port, _):
        answer = await local("127.0.0.9", "127.0.0.1").request("GET", f"http://a.example:{port}/")

    assert answer.body == b"ok"


async def test_the_request_arrives_whole_under_its_own_name() -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\nX-Id: 7\r\n\r\n")) as (port, heard):
        answer = await local().request(
            "POST",
            f"http://erp.example.com:{port}/hooks?order=17",
            headers={"Content-Type": "application/json", "webhook-id": "msg_1"},
            content=b'{"a":1}',
        )

    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hooks?order=17 HTTP/1.1\r\n")
    assert f"host: erp.example.com:{port}".encode() in head.lower()
    assert b"webhook-id: msg_1" in head
    assert body == b'{"a":1}'
    assert answer.headers["x-id"] == "7"


async def test_clients_of_our_own_ignore_proxies_of_the_environment() -> None:
    async def app(_scope: object, _receive: object, send: Callable[..., Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with app_client(app) as client, plain_client() as plain:
        answer = await client.get("/")

    assert answer.status_code == 204
    assert plain.trust_env is False
