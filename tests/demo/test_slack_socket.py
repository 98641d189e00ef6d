"""Socket Mode: the app's own connection carries what people do, and is taken away at times."""

from collections.abc import AsyncIterator

import anyio
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.serving import served
from bot.demo.slack.house import House
from bot.demo.slack.standin import SlackStandIn
from bot.demo.trees import Record, is_record, text
from engine.ids import SystemIds
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

HERE = "C0APPROVALS"


@pytest.fixture
async def slack(clock: ManualClock) -> AsyncIterator[SlackStandIn]:
    house = House(bot_token="xoxb-1", signing_secret="s", app_token="xapp-1")
    stand_in = SlackStandIn(house, clock=clock, ids=SystemIds())
    async with stand_in.socket.listening(), served(stand_in.app) as url:
        stand_in.at(url)
        yield stand_in


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def address(slack: SlackStandIn, token: str = "xapp-1") -> str:
    client = AsyncWebClient(token, base_url=slack.api_url, retry_handlers=[])
    return str((await client.apps_connections_open(app_token=token))["url"])


async def heard(socket: ClientWebSocketResponse) -> Record:
    value: object = await socket.receive_json()
    assert is_record(value)
    return value


async def test_the_bots_token_opens_no_connection(slack: SlackStandIn) -> None:
    with pytest.raises(SlackApiError) as raised:
        await address(slack, "xoxb-1")

    assert raised.value.response["error"] == "invalid_auth"


async def test_an_address_is_good_for_one_connection(
    slack: SlackStandIn, session: ClientSession
) -> None:
    url = await address(slack)

    async with session.ws_connect(url) as socket:
        hello = await heard(socket)
        with pytest.raises(WSServerHandshakeError) as raised:
            await session.ws_connect(url)

    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert raised.value.status == 404


async def test_a_command_comes_as_an_envelope_and_its_answer_goes_back(
    slack: SlackStandIn, session: ClientSession
) -> None:
    async with session.ws_connect(await address(slack)) as socket:
        await heard(socket)

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: slack.people.command("U0ANA", "/approvals list", channel=HERE))
            envelope = await heard(socket)
            answer = {"text": "Nothing waits for you."}
            await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": answer})

    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert text(envelope, "payload", "text") == "list"
    assert [found.text for found in slack.whispers("U0ANA")] == ["Nothing waits for you."]


async def test_a_connection_is_told_to_come_back_and_then_closed(
    slack: SlackStandIn, session: ClientSession
) -> None:
    async with session.ws_connect(await address(slack)) as socket:
        await heard(socket)

        await slack.socket.disconnect("refresh_requested")
        told = await heard(socket)
        closed = await socket.receive()

    assert told == {"type": "disconnect", "reason": "refresh_requested"}
    assert closed.type is WSMsgType.CLOSE


async def test_without_a_connection_people_see_a_failure(
    slack: SlackStandIn, session: ClientSession
) -> None:
    errors: list[str | None] = []

    async def command() -> None:
        errors.append((await slack.people.command("U0ANA", "/approvals", channel=HERE)).error)

    async with (
        session.ws_connect(await address(slack)) as socket,
        anyio.create_task_group() as group,
    ):
        await heard(socket)
        group.start_soon(command)
        await heard(socket)
        await socket.close()

    assert errors == ["dispatch_failed"]
