"""Where Slack is heard: size, kind, signature, workspace and repeats first, then Bolt's routing."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.slack import limits, listeners, wire
from channels.slack.blocks import APPROVE, CHANGE, FILL, MORE, OPEN, REJECT
from channels.slack.commands import command
from channels.slack.desk import Caller, Delivery, Desk, log, replay_key
from channels.slack.differences import AGREE
from channels.slack.listeners import Listener, truthfully
from channels.slack.manifest import COMMAND
from channels.slack.modals import CHANGES, FORM, VOTE
from channels.slack.signature import verify
from engine.errors import EngineError, Invalid, SignatureInvalid
from engine.ids import DEFAULT_TENANT
from engine.services import votes

Endpoint = Callable[[Request], Awaitable[Response]]
Pattern = str | re.Pattern[str]
Answering = Callable[[Mapping[str, Any]], Awaitable[BoltResponse]]
Register = Callable[[Answering], object]

_DELIVERY: Final = "signoff_delivery"
# Bolt logs whole requests, response URLs and stack traces; what matters is logged by us.
_SILENT: Final = logging.getLogger("signoff.slack.bolt")
_SILENT.setLevel(logging.CRITICAL + 1)
_ANY: Final = re.compile(".*", re.DOTALL)
_KIND: Final = re.compile(
    rf"({wire.FORM}|{wire.JSON})(?:\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE
)
_ACTIONS: Final[dict[str, Listener]] = {
    APPROVE: listeners.approve,
    AGREE: listeners.approve,
    CHANGE: listeners.change,
    FILL: listeners.change,
    REJECT: listeners.reject,
    MORE: listeners.more,
    OPEN: listeners.nothing,
}

_LOST: Final = ("app_uninstalled", "tokens_revoked")


class _Routes(Protocol):
    """The part of Bolt that routes."""

    def action(self, constraints: Pattern) -> Register: ...
    def view(self, constraints: Pattern) -> Register: ...
    def command(self, command: Pattern) -> Register: ...
    def event(self, event: Pattern) -> Register: ...


def endpoint(desk: Desk) -> Endpoint:
    """What answers `POST /slack/events`: interactivity, events and commands of one app.

    Everything malformed is 401 or 400 (413 and 415 for size and kind), the same for everybody; a
    repeat within fifteen minutes is 200 and does nothing. What was done is committed before it is
    acknowledged; what can wait (a sentence, a window) follows the acknowledgement.
    """
    app = bolt_app(desk)

    async def hear(request: Request) -> Response:
        """Slack's interactivity, events and slash commands."""
        body = await _body(request)
        if body is None:
            return _problem(413, "too large")
        kind = _KIND.fullmatch(request.headers.get("content-type", ""))
        if kind is None:
            return _problem(415, "unsupported media type")
        is_json = kind[1].lower() == wire.JSON
        if not is_json and _is_ssl_check(body):
            return Response()
        try:
            signature = _verified(desk, request, body)
            said = wire.read(body, is_json=is_json)
        except SignatureInvalid:
            log.warning("slack.request_refused", why="signature")
            return _problem(401, "invalid request")
        except Invalid:
            log.warning("slack.request_refused", why="unreadable")
            return _problem(400, "bad request")
        if isinstance(said, wire.Handshake):
            return JSONResponse({"challenge": said.challenge})
        return await _known(desk, app, said, key=replay_key(signature, body))

    return hear


def bolt_app(desk: Desk) -> AsyncApp:
    """The routing: which action, window, command or event leads to which listener.

    `process_before_response` makes the listener's answer the acknowledgement itself. Without it
    Bolt polls for one, and forgets it when a listener fails shortly after giving it.
    """

    async def authorize(
        enterprise_id: str | None, team_id: str | None, user_id: str | None
    ) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            user_id=user_id,
            bot_token=desk.config.bot_token,
        )

    app = AsyncApp(
        name="signoff",
        logger=_SILENT,
        signing_secret=desk.config.signing_secret,
        authorize=authorize,
        process_before_response=True,
    )
    _route(app, desk)
    return app


def _route(routes: _Routes, desk: Desk) -> None:
    for action, listener in _ACTIONS.items():
        routes.action(action)(_answering(desk, listener))
    routes.action(_ANY)(_answering(desk, listeners.unknown))
    routes.view(VOTE)(_answering(desk, listeners.submitted))
    routes.view(CHANGES)(_answering(desk, listeners.changed))
    routes.view(FORM)(_answering(desk, listeners.changed))
    routes.view(_ANY)(_answering(desk, listeners.unknown))
    routes.command(COMMAND)(_answering(desk, command))
    routes.command(_ANY)(_answering(desk, listeners.unknown))
    for event in _LOST:
        routes.event(event)(_answering(desk, listeners.installation_lost))


def _answering(desk: Desk, listener: Listener) -> Answering:
    async def answer(context: Mapping[str, Any]) -> BoltResponse:
        delivery: Delivery = context[_DELIVERY]
        return BoltResponse(status=200, body=await truthfully(listener, desk, delivery) or "")

    return answer


async def _known(desk: Desk, app: AsyncApp, said: wire.Heard, *, key: str) -> Response:
    origin = said.origin
    caller = Caller(team=origin.home or origin.enterprise or "", user=origin.user)
    tenant = desk.tenant_of(origin.team, origin.enterprise)
    try:
        if not await _is_allowed(desk, origin):
            await _put_on_record(desk, origin, caller)
            return _problem(401, "invalid request")
    except EngineError as error:
        log.warning("slack.workspace_unclear", error=error.code)
        return _problem(503, "unavailable")
    match said:
        case wire.Event() if said.event.type not in _LOST:
            return JSONResponse({"status": "received"})
        case wire.OtherInteraction():
            return Response()
        case _:
            delivery = Delivery(said=said, caller=caller, key=key, tenant=tenant)
            return await _dispatched(app, desk, delivery)


async def _dispatched(app: AsyncApp, desk: Desk, delivery: Delivery) -> Response:
    # Bolt sees what was read and checked, nothing else; our own check has been stricter than its.
    checked: dict[str, Any] = delivery.said.model_dump(mode="json", exclude_none=True)
    answer = await app.async_dispatch(
        AsyncBoltRequest(body=checked, mode="socket_mode", context={_DELIVERY: delivery})
    )
    if answer.status != 200:
        log.error("slack.not_routed", status=answer.status)
        answer = BoltResponse(status=200, body=await listeners.unknown(desk, delivery) or "")

    async def afterwards() -> None:
        for deed in delivery.afterwards:
            await _safely(deed)

    return Response(
        answer.body,
        status_code=answer.status,
        media_type=answer.first_headers().get("content-type"),
        background=BackgroundTask(afterwards),
    )


async def _safely(deed: Callable[[], Awaitable[None]]) -> None:
    try:
        await deed()
    except Exception as error:  # border: it is acknowledged already; what failed is a courtesy
        log.error("slack.afterwards_failed", error=type(error).__name__)


async def _is_allowed(desk: Desk, origin: wire.Origin) -> bool:
    if desk.config.app_id is not None and origin.app != desk.config.app_id:
        return False
    allowed = desk.config.team_ids or frozenset({await desk.client.team()})
    return bool((allowed | desk.tenants.keys()) & {origin.team, origin.enterprise})


async def _put_on_record(desk: Desk, origin: wire.Origin, caller: Caller) -> None:
    log.warning("slack.request_refused", why="origin", team=origin.team, app=origin.app)
    # A stranger's try is the installation's to know: it belongs to no tenant's workspace.
    await desk.database.of(DEFAULT_TENANT).write(
        lambda tx: votes.refused(
            tx,
            DEFAULT_TENANT,
            what="slack request",
            who=f"slack:{caller.identity}",
            why="foreign_workspace",
            channel="slack",
        ),
        within=limits.ANSWER_WITHIN,
    )


def _verified(desk: Desk, request: Request, body: bytes) -> str:
    timestamps = request.headers.getlist("x-slack-request-timestamp")
    signatures = request.headers.getlist("x-slack-signature")
    if len(timestamps) != 1 or len(signatures) != 1:
        raise SignatureInvalid("The request is not signed once.")
    verify(
        body,
        timestamp=timestamps[0],
        signature=signatures[0],
        secret=desk.config.signing_secret.encode(),
        now=desk.clock.now(),
    )
    return signatures[0]


def _is_ssl_check(body: bytes) -> bool:
    if b"ssl_check=" not in body:
        return False
    try:
        return wire.is_ssl_check(wire.form(body))
    except Invalid:
        return False


async def _body(request: Request) -> bytes | None:
    """The raw bytes; None as soon as they are too many, whatever length was announced."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limits.BODY_BYTES:
            return None
    return bytes(body)


def _problem(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status_code=status)
