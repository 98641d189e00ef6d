"""The Web API under `/api/`: token, rate, fault, method, in Slack's order."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.faults import Drop, Faults, play
from bot.demo.slack import api_chat, api_people, api_views
from bot.demo.slack.calls import Call, SlackRefuses, read_call
from bot.demo.slack.permits import Permits
from bot.demo.slack.rates import Rates
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import Record

Method: TypeAlias = Callable[[Call], Awaitable[Record]]

CONNECT: Final = "apps.connections.open"
NEEDED_SCOPES: Final = {
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
}


class WebApi:
    """Answers calls and remembers each in `ledger`, refused and dropped ones included."""

    def __init__(self, space: Workspace, permits: Permits, *, rates: Rates, faults: Faults) -> None:
        self.ledger: list[Call] = []
        self.route = Route("/api/{method}", self._answer, methods=["GET", "POST"])
        self._space = space
        self._rates = rates
        self._faults = faults
        self._methods: dict[str, Method] = {
            "auth.test": partial(api_people.auth_test, space),
            "chat.postEphemeral": partial(api_chat.post_ephemeral, space),
            "chat.postMessage": partial(api_chat.post_message, space),
            "chat.update": partial(api_chat.update, space),
            "conversations.history": partial(api_people.conversations_history, space),
            "conversations.list": partial(api_people.conversations_list, space),
            "conversations.open": partial(api_people.conversations_open, space),
            "conversations.replies": partial(api_people.conversations_replies, space),
            "users.info": partial(api_people.users_info, space),
            "users.lookupByEmail": partial(api_people.users_by_email, space),
            "views.open": partial(api_views.open_view, space, permits),
            "views.publish": partial(api_views.publish_view, space),
            "views.push": partial(api_views.push_view, space, permits),
            "views.update": partial(api_views.update_view, space),
        }

    def add(self, name: str, method: Method) -> None:
        """Answer `name` too."""
        self._methods[name] = method

    def calls(self, method: str) -> list[Call]:
        """The calls of one method, in the order they arrived."""
        return [call for call in self.ledger if call.method == method]

    async def answered(self, method: str, args: Record) -> Record:
        """What the app's own token would be answered, without a wire."""
        call = Call(
            method=method, args=args, token=self._space.house.bot_token, at=self._space.clock.now()
        )
        await self._carried_out(call)
        return call.answer

    async def _answer(self, request: Request) -> Response:
        try:
            call = await read_call(request, self._space.clock.now())
        except SlackRefuses as refused:
            return JSONResponse(refused.as_answer())
        self.ledger.append(call)
        # Tests wait for calls as well as for what calls do.
        self._space.changes.announce()
        fault = self._faults.take(call.method)
        proceed = partial(self._carried_out, call)
        response = await play(fault, request, proceed, clock=self._space.clock)
        call.status = 0 if isinstance(fault, Drop) else response.status_code
        return response

    async def _carried_out(self, call: Call) -> Response:
        try:
            self._check_token(call)
            method = self._methods.get(call.method)
            if method is None:
                raise SlackRefuses("unknown_method")
            if wait := self._rates.wait_for(call.method, call.text("channel")):
                call.answer = {"ok": False, "error": "ratelimited"}
                seconds = str(int(wait.total_seconds()))
                return JSONResponse(call.answer, status_code=429, headers={"Retry-After": seconds})
            call.answer = {"ok": True, **await method(call)}
        except SlackRefuses as refused:
            call.answer = refused.as_answer()
        scopes = ",".join(sorted(self._space.house.scopes))
        return JSONResponse(call.answer, headers={"X-OAuth-Scopes": scopes})

    def _check_token(self, call: Call) -> None:
        if not call.token:
            raise SlackRefuses("not_authed")
        house = self._space.house
        expected = house.app_token if call.method == CONNECT else house.bot_token
        if call.token != expected:
            raise SlackRefuses("invalid_auth")
        needed = NEEDED_SCOPES.get(call.method)
        if needed and not house.scopes.intersection(needed):
            raise SlackRefuses("missing_scope")
