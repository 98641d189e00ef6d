"""The body of an outgoing webhook: what happened, the approval, and where to answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.base import Card, Notice
from channels.webhook.limits import PAYLOAD_BYTES_MAX
from engine.rules.wording import is_sequence, is_table

# What is left out, one after the other, until the rest fits.
_HEAVY: Final = (
    "details", "call", "form", "effective", "outcomes", "votes", "decision", "differences", "proposed", "decided",
    "messages", "progress",
)  # fmt: skip
_OF_FIELDS: Final = frozenset({"details", "proposed", "decided", "changes"})
_HOLDING: Final = frozenset({"effective", "outcomes", "votes", "decision"})


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

    Fields that this channel may not show are taken out of `details`; `data.hidden` names them. Over
    20 kB the heavy parts of the approval are left out, `details` first; `data.left_out` names them.
    Where what would happen is not all there, there are no actions either: the receiver reads the
    approval from the API and answers with a signature.
    """
    snapshot = _permitted(card)
    data: dict[str, object] = {_subject(snapshot): snapshot}
    if card.left_out:
        data["hidden"] = list(card.left_out)
    whole = data if actions is None else {**data, "actions": _json(actions)}
    left_out: tuple[str, ...] = ()
    body = _minified(card.event, at, whole)
    for part in _HEAVY:
        if len(body) <= PAYLOAD_BYTES_MAX:
            break
        if snapshot.pop(part, None) is not None:
            left_out = (*left_out, part)
            body = _minified(card.event, at, {**data, "left_out": list(left_out)})
    return Envelope(body=body, left_out=(*card.left_out, *left_out))


def notice(told: Notice, *, at: str) -> Envelope:
    """A message that is no approval."""
    text: dict[str, object] = {"title": told.title, "text": told.text}
    if told.url is not None:
        text |= {"url": told.url, "url_label": told.url_label}
    if told.run:
        return Envelope(body=_minified(told.event, at, {"run": told.run, "notice": text}))
    return Envelope(body=_minified("operators.told", at, {"notice": text}))


def _permitted(card: Card) -> dict[str, object]:
    snapshot = dict(card.snapshot)
    if not card.left_out:
        return snapshot
    # A field that may not be shown is in none of the tables of fields either, wherever they stand.
    hidden = set(card.left_out)
    return {name: _without(name, value, hidden) for name, value in snapshot.items()}


def _without(name: str, value: object, hidden: set[str]) -> object:
    if name in _OF_FIELDS and is_table(value):
        return {key: value[key] for key in value if key not in hidden}
    if name == "differences" and is_sequence(value):
        return [each for each in value if not (is_table(each) and each.get("field") in hidden)]
    if name in _HOLDING and is_table(value):
        return {key: _without(str(key), value[key], hidden) for key in value}
    if name in _HOLDING and is_sequence(value):
        return [_without("decision", each, hidden) for each in value]
    return value


def _json(actions: Actions) -> dict[str, str]:
    return {"url": actions.url, "token": actions.token}


def _subject(snapshot: Mapping[str, object]) -> str:
    return "run" if str(snapshot.get("id", "")).startswith("run_") else "approval"


def _minified(type: str, at: str, data: Mapping[str, object]) -> bytes:
    whole = {"type": type, "timestamp": at, "data": data}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
