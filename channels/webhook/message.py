"""The body of an outgoing webhook: what happened, the approval, and where to answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.base import Card, Notice
from channels.webhook.limits import PAYLOAD_BYTES_MAX

# What is left out, one after the other, until the rest fits.
_HEAVY: Final = ("details", "call", "votes", "decision", "messages", "progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Where the receiver may answer, and the token that lets it."""

    url: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Exactly the bytes that are signed and sent, and what of the approval they do not hold."""

    body: bytes
    left_out: tuple[str, ...] = ()


def event(card: Card, *, at: str, actions: Actions | None) -> Envelope:
    """The event of `card`, minified.

    Over 20 kB the heavy parts of the approval are left out, `details` first; `data.left_out` names
    them, and the receiver reads them from the API.
    """
    data: dict[str, object] = {_subject(card.snapshot): dict(card.snapshot)}
    if card.left_out:
        data["hidden"] = list(card.left_out)
    if actions is not None:
        data["actions"] = {"url": actions.url, "token": actions.token}
    left_out: tuple[str, ...] = ()
    body = _minified(card.event, at, data)
    for part in _HEAVY:
        if len(body) <= PAYLOAD_BYTES_MAX:
            break
        if part in card.snapshot:
            left_out = (*left_out, part)
            body = _minified(card.event, at, _without(data, card.snapshot, left_out))
    return Envelope(body=body, left_out=(*card.left_out, *left_out))


def notice(told: Notice, *, at: str) -> Envelope:
    """A message that is no approval."""
    text: dict[str, object] = {"title": told.title, "text": told.text}
    if told.url is not None:
        text |= {"url": told.url, "url_label": told.url_label}
    return Envelope(body=_minified("notice", at, {"notice": text}))


def _subject(snapshot: Mapping[str, object]) -> str:
    return "run" if str(snapshot.get("id", "")).startswith("run_") else "approval"


def _without(
    data: Mapping[str, object], snapshot: Mapping[str, object], left_out: tuple[str, ...]
) -> dict[str, object]:
    kept = {key: value for key, value in snapshot.items() if key not in left_out}
    return {**data, _subject(snapshot): kept, "left_out": list(left_out)}


def _minified(type: str, at: str, data: Mapping[str, object]) -> bytes:
    whole = {"type": type, "timestamp": at, "data": data}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
