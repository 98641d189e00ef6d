"""Stand-ins that are really served, a clock moved by hand, and an app that answers as told."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.serving import served
from bot.demo.slack.house import House, SlackChannel
from bot.demo.slack.standin import SlackStandIn
from bot.demo.trees import Record, is_record, parsed
from engine.ids import SystemIds
from tests.clock import ManualClock

CHANNELS = (
    SlackChannel(id="C0APPROVALS", name="approvals"),
    SlackChannel(id="C0PUBLIC", name="public", bot_is_member=False),
    SlackChannel(id="C0SECRET", name="secret", private=True, bot_is_member=False),
    SlackChannel(id="C0OLD", name="old", archived=True),
    SlackChannel(id="C0FEW", name="few", members=frozenset({"U0ANA"})),
)


@dataclass
class App:
    """The other side: keeps what it is sent and answers with `answer`."""

    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[Request], Awaitable[Response]] | Response = field(default_factory=Response)

    async def hear(self, request: Request) -> Response:
        self.heard.append((dict(request.headers), await request.body()))
        return self.answer if isinstance(self.answer, Response) else await self.answer(request)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.heard[-1][1].decode(), keep_blank_values=True))

    @property
    def payload(self) -> Record:
        payload = parsed(self.form["payload"])
        assert is_record(payload)
        return payload

    def will_answer(self, body: Record) -> None:
        self.answer = Response(json.dumps(body), media_type="application/json")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def slack(clock: ManualClock, app: App) -> AsyncIterator[SlackStandIn]:
    house = House(bot_token="xoxb-tests", signing_secret="8f7422", channels=CHANNELS)
    stand_in = SlackStandIn(house, clock=clock, ids=SystemIds())
    routes = [Route("/slack/events", app.hear, methods=["POST"])]
    async with served(stand_in.app) as url, served(Starlette(routes=routes)) as app_url:
        stand_in.at(url)
        stand_in.app_at(f"{app_url}/slack/events")
        yield stand_in
        stand_in.space.changes.close()


@pytest.fixture
async def client(slack: SlackStandIn) -> AsyncIterator[AsyncWebClient]:
    async with web_client(slack, slack.house.bot_token) as client:
        yield client


@asynccontextmanager
async def web_client(slack: SlackStandIn, token: str) -> AsyncIterator[AsyncWebClient]:
    yield AsyncWebClient(token, base_url=slack.api_url, retry_handlers=[])
