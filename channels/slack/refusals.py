"""What Slack's refusals mean: try again, never again, or call the operator."""

from collections.abc import Mapping
from typing import Final

from channels.base import (
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    MessageGone,
    RecipientUnknown,
)
from channels.slack.text import clipped
from channels.slack.trees import rows
from engine.errors import EngineError

# After these nobody can say whether the call took effect.
_UNCLEAR: Final = frozenset({"internal_error", "fatal_error", "request_timeout"})
_LATER: Final = _UNCLEAR | {
    "ratelimited",
    "rate_limited",
    "service_unavailable",
    "team_added_to_org",
}
_NOBODY: Final = frozenset({"channel_not_found", "user_not_found", "users_not_found"})
_INSTALLATION: Final = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
    | {"team_access_not_granted"}
)
_HINTS: Final = {
    "not_in_channel": "invite the app to the channel.",
    "is_archived": "the channel is archived; change the route.",
    "messages_tab_disabled": "enable the app's messages tab (`signoff slack manifest`).",
    "missing_scope": "reinstall the app with the scopes of `signoff slack manifest`.",
}
_DETAIL_CHARS: Final = 300


def refusal(
    method: str, *, status: int, headers: Mapping[str, str], answer: dict[str, object]
) -> EngineError:
    """The error for an answer that is not `ok`."""
    code = answer.get("error")
    error = code if isinstance(code, str) else f"HTTP {status}"
    what = f"Slack refused {method}: {error}{_detail(answer)}"
    if status == 429 or status >= 500 or error in _LATER:
        return ChannelUnavailable(
            what, retry_after_s=_retry_after(headers), ambiguous=status >= 500 or error in _UNCLEAR
        )
    if error in _INSTALLATION:
        return ChannelMisconfigured(
            f"{what}. Reinstall the app and set SIGNOFF_SLACK_BOT_TOKEN to its bot token."
        )
    if error in _NOBODY:
        return RecipientUnknown(what)
    if error == "message_not_found":
        return MessageGone(what)
    if not isinstance(code, str) and status == 200:
        # A page of some proxy, or half an answer: the message may well have been taken.
        return ChannelUnavailable(f"Slack's answer to {method} cannot be read", ambiguous=True)
    hint = _HINTS.get(error)
    return ChannelRefused(f"{what}; {hint}" if hint else what)


def _detail(answer: dict[str, object]) -> str:
    metadata = answer.get("response_metadata")
    said = [answer.get("needed"), *rows(answer, "errors"), *rows(metadata, "messages")]
    words = "; ".join(dict.fromkeys(word for word in said if isinstance(word, str)))
    return f" ({clipped(words, _DETAIL_CHARS)})" if words else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() else None
