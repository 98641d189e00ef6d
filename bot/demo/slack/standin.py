"""The Slack stand-in, assembled: one application with the API, the response URLs and the page."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.demo.faults import Faults, play
from bot.demo.pages import STATIC, Nav
from bot.demo.slack.answers import Answers
from bot.demo.slack.api import CONNECT, WebApi
from bot.demo.slack.calls import SlackRefuses
from bot.demo.slack.house import House
from bot.demo.slack.interactions import People
from bot.demo.slack.line import Line
from bot.demo.slack.messages import Message
from bot.demo.slack.page import SlackPage
from bot.demo.slack.permits import Permits
from bot.demo.slack.rates import Rates
from bot.demo.slack.signing import Forger
from bot.demo.slack.socket_mode import SocketMode
from bot.demo.slack.views import View
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import is_record, parsed
from engine.clock import Clock
from engine.ids import Ids

T = TypeVar("T")


class SlackStandIn:
    """A workspace with one app. Tell it where it is served (`at`) and where the app is (`app_at`).

    `people` acts, `api.ledger` and `messages()` tell what the app did, `faults` and `rates` make
    trouble, `line.send` with `forger` sends what must be refused. With `socket.listening()` entered
    the app may use Socket Mode.
    """

    def __init__(self, house: House, *, clock: Clock, ids: Ids, nav: Nav | None = None) -> None:
        self.house = house
        self.space = Workspace(house, clock=clock)
        self.faults = Faults()
        self.rates = Rates(clock=clock)
        self.permits = Permits(house.team_id, clock=clock, ids=ids)
        self.line = Line(house.signing_secret, clock=clock)
        self.socket = SocketMode(house, ids=ids)
        self.line.socket = self.socket
        self.people = People(self.space, self.permits, self.line)
        self.api = WebApi(self.space, self.permits, rates=self.rates, faults=self.faults)
        self.api.add(CONNECT, self.socket.open)
        self._answers = Answers(self.space)
        page = SlackPage(self.space, self.people, nav or Nav())
        self.app = Starlette(routes=[self.api.route, self._respond_route(), *page.routes, STATIC])

    @property
    def forger(self) -> Forger:
        """Makes requests that must be refused out of honest ones."""
        return self.line.forger

    @property
    def api_url(self) -> str:
        """What `SIGNOFF_SLACK_API_URL` is to be."""
        return f"{self.people.base}/api/"

    def at(self, base: str) -> None:
        """Say where the stand-in is served; response URLs begin with it."""
        self.people.base = base.rstrip("/")

    def app_at(self, request_url: str) -> None:
        """Say where the app hears, such as `http://127.0.0.1:8080/slack/events`."""
        self.line.url = request_url

    def messages(
        self, channel: str = "", *, holding: str = "", seen_by: str | None = None
    ) -> list[Message]:
        """Messages of the app, oldest first; `channel` is an id, a name or a person's id.

        Ephemeral ones are left out unless `seen_by` names who looks.
        """
        return [
            message
            for message in self._all(channel)
            if message.author == self.house.bot_user
            and not message.deleted
            and message.only_for in (None, seen_by)
            and holding in message.words
        ]

    def whispers(self, user: str) -> list[Message]:
        """What only `user` sees, oldest first."""
        return [message for message in self._all("") if message.only_for == user]

    async def message(self, channel: str = "", *, holding: str = "") -> Message:
        """The latest message of the app that fits, waited for.

        Raises:
            TimeoutError: if none came in time.
        """
        return await self.until(
            lambda: next(reversed(self.messages(channel, holding=holding)), None)
        )

    async def modal(self, user: str) -> View:
        """The modal in front of `user`, waited for.

        Raises:
            TimeoutError: if none opened in time.
        """
        return await self.until(lambda: self.space.views.top(user))

    async def until(self, find: Callable[[], T | None]) -> T:
        """What `find` returns, as soon as it returns something.

        Raises:
            TimeoutError: if it found nothing in time.
        """
        return await self.space.changes.until(find)

    def _all(self, channel: str) -> Iterator[Message]:
        name = channel.removeprefix("#")
        for conversation in list(self.space.conversations.values()):
            if name in ("", conversation.id, conversation.name, conversation.person):
                yield from conversation.messages

    def _respond_route(self) -> Route:
        return Route("/respond/{path:path}", self._respond, methods=["POST"])

    async def _respond(self, request: Request) -> Response:
        fault = self.faults.take("response_url")
        proceed = partial(self._responded, request)
        return await play(fault, request, proceed, clock=self.space.clock)

    async def _responded(self, request: Request) -> Response:
        try:
            body = parsed(await request.body())
        except ValueError:
            return PlainTextResponse("invalid_payload", status_code=400)
        url = self.permits.use(request.path_params["path"])
        if isinstance(url, str):
            return PlainTextResponse(url, status_code=404)
        try:
            self._answers.to_response_url(url, body if is_record(body) else {})
        except SlackRefuses as refused:
            return PlainTextResponse(refused.error, status_code=400)
        return PlainTextResponse("ok")
