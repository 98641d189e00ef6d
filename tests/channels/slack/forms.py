"""A form with a field of every kind, and people who open its window and send it off."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from bot.demo.slack.inputs import Typed
from bot.demo.slack.interactions import Submitted
from bot.demo.slack.messages import Message
from bot.demo.slack.signing import payload_of
from bot.demo.trees import Record, record, records, text
from engine.ids import DEFAULT_TENANT, PersonId
from engine.store.pictures import ApprovalPicture
from tests.channels.slack.scene import ROOM, Scene

CHECKS: Final = [{"const": "smoke", "title": "Smoke test"}, {"const": "load"}]
FORM: Final[dict[str, Any]] = {
    "required": ["when", "note", "safe"],
    "properties": {
        "when": {"type": "string", "title": "When", "enum": ["tonight", "tomorrow"]},
        "note": {"type": "string", "title": "Note", "minLength": 3, "maxLength": 40},
        "why": {"type": "string", "format": "textarea", "description": "For the record"},
        "replicas": {"type": "integer", "title": "Replicas", "maximum": 9, "default": 3},
        "share": {"type": "number", "minimum": 0.5, "maximum": 2.5},
        "on_call": {"type": "boolean", "title": "On call", "default": True},
        "safe": {"type": "boolean", "title": "Safe"},
        "checks": {"type": "array", "title": "Checks", "items": {"anyOf": CHECKS}, "minItems": 1},
        "region": {"type": "string", "enum": [f"eu-{n}" for n in range(11)]},
        "zones": {"type": "array", "items": {"enum": [f"z{n}" for n in range(11)]}, "maxItems": 2},
        "day": {"type": "string", "format": "date"},
    },
}
ASKED: Final[dict[str, Any]] = {
    "kind": "form",
    "form": FORM,
    "action": "deploy",
    "title": "Deploy 2.1?",
    "details": {"version": "2.1"},
}
# All of it has a default: one press is enough.
EASY: Final[dict[str, Any]] = {
    **ASKED,
    "form": {"properties": {"replicas": FORM["properties"]["replicas"]}},
}
FILLED: Final[dict[str, Typed]] = {
    "When": "0",
    "Note": "Rolling",
    "Safe": "0",
}  # options go by their number


async def opened(told: Scene, user: str, message: Message, button: str = "Approve…") -> None:
    """Press `button` and wait for the inputs of its window."""
    await told.slack.people.press(user, message, button)
    await told.slack.until(lambda: inputs(told, user) or None)


def inputs(told: Scene, user: str) -> dict[str, Record]:
    """The inputs of the window in front of `user`, by their labels."""
    view = told.slack.space.views.top(user)
    blocks = records(view.content.get("blocks")) if view else []
    return {text(each, "label", "text"): each for each in blocks if each.get("type") == "input"}


async def filled(
    told: Scene, user: str, message: Message, values: Mapping[str, Typed] = FILLED
) -> Submitted:
    """The window of the form, filled in with `values` and sent off."""
    await opened(told, user, message)
    return await told.slack.people.submit(user, values)


async def shown_again(told: Scene, asked: ApprovalPicture) -> Message:
    """The card as it is now, posted once more."""
    now = await told.database.of(DEFAULT_TENANT).read(
        lambda tx: told.desk.card_of(tx, DEFAULT_TENANT, asked.id, PersonId("ana"))
    )
    await told.channel.post(now, to=ROOM, key=f"dlv_{asked.id}_{len(told.slack.messages(ROOM))}")
    return told.slack.messages(ROOM)[-1]


async def refused(told: Scene, user: str, message: Message) -> Submitted:
    """A submission that the server refused, so that its window still stands there."""
    sent = await filled(told, user, message, {**FILLED, "Note": "    "})
    assert list(sent.errors) == ["signoff:asked:1"]
    return sent


def state_of(sent: Submitted) -> dict[str, Record]:
    """What stood in the inputs when they were sent, by their blocks."""
    assert sent.heard is not None
    view = record(payload_of(sent.heard.sent)["view"])
    values = record(record(view["state"])["values"])
    return {block: record(put) for block, put in values.items()}


async def forged(told: Scene, sent: Submitted, **changes: object) -> Record:
    """The same submission with `changes` of its view or its user; what is answered to it."""
    assert sent.heard is not None
    payload = payload_of(sent.heard.sent)
    view = {**record(payload["view"]), **changes}
    user = view.pop("user", payload["user"])
    body = urlencode({"payload": json.dumps({**payload, "view": view, "user": user})}).encode()
    heard = await told.slack.line.send(told.signed(body))
    assert heard.status == 200
    return heard.json
