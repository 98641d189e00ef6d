"""Answers that only the person who pressed can see, and windows that open in front of them."""

from typing import Final
from urllib.parse import urlsplit

from slack_sdk.webhook.async_client import AsyncWebhookClient

from channels.slack import limits, wire
from channels.slack.client import API, QUIET
from channels.slack.desk import Delivery, Desk, log
from channels.slack.inputs import View
from channels.slack.text import cut, escape, plain
from channels.slack.trees import text as text_at
from engine.errors import EngineError

TRY_AGAIN: Final = "Slack closed this window before it could open. Press again."
_HOSTS: Final = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_TIMEOUT_S: Final = 5


async def whisper(desk: Desk, delivery: Delivery, text: str) -> None:
    """Tell the person who pressed, and nobody else. It never raises: what happened has happened."""
    try:
        await _whisper(desk, delivery, text)
    except Exception as error:  # border: a lost sentence must not look like a lost vote
        log.warning("slack.answer_failed", error=type(error).__name__)


async def open_view(desk: Desk, delivery: Delivery, view: View) -> str | None:
    """Open `view` in front of the person and return its id; None, and a sentence, when too late.

    It comes before anything else is asked or written: Slack gives three seconds for it.
    """
    trigger = delivery.said.trigger_id if isinstance(delivery.said, wire.BlockActions) else None
    opened: str | None = None
    try:
        answer = await desk.client.call("views.open", trigger_id=trigger or "", view=view)
        opened = text_at(answer, "view", "id")
    except EngineError as error:
        log.warning("slack.view_refused", error=error.code)
    is_new = await desk.once(delivery, lambda _tx: True)
    if opened is None and is_new:
        await whisper(desk, delivery, TRY_AGAIN)
    return opened


async def change_view(desk: Desk, view_id: str, view: View) -> None:
    """Replace what an open window shows; nothing, if it was closed in the meantime."""
    try:
        await desk.client.call("views.update", view_id=view_id, view=view)
    except EngineError as error:
        log.info("slack.view_gone", error=error.code)


def is_slack(url: str, *, api_url: str) -> bool:
    """Whether an answer may be sent to `url`: Slack's own hosts, or the one that was configured."""
    try:
        parts, ours = urlsplit(url), urlsplit(api_url)
        official = parts.scheme == "https" and parts.hostname in _HOSTS and parts.port is None
    except ValueError:
        return False
    configured = (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)
    return "@" not in parts.netloc and (official or configured)


async def _whisper(desk: Desk, delivery: Delivery, text: str) -> None:
    words = cut(escape(text), limits.SECTION_TEXT)
    blocks = [{"type": "section", "block_id": "signoff:answer", "text": plain(text)}]
    match delivery.said:
        case wire.BlockActions(response_url=str(url)) if is_slack(url, api_url=desk.config.api_url):
            hook = AsyncWebhookClient(url, timeout=_TIMEOUT_S, logger=QUIET, retry_handlers=[])
            hook.proxy = None
            sent = hook.send_dict(
                {
                    "response_type": "ephemeral",
                    "replace_original": False,
                    "text": words,
                    "blocks": blocks,
                }
            )
            answer = await API.through(sent, ("response_url",))
            if answer.status_code != 200:
                log.warning("slack.answer_refused", status=answer.status_code)
        case wire.BlockActions(channel=wire.Place(id=channel)):
            await desk.client.call(
                "chat.postEphemeral",
                channel=channel,
                user=delivery.caller.user,
                text=words,
                blocks=blocks,
            )
        case _:
            log.warning("slack.answer_has_no_place")
