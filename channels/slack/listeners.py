"""What each button, window and event leads to. The vote is committed first, then acknowledged."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from channels.base import Card
from channels.slack import wire
from channels.slack.answers import change_view, open_view, whisper
from channels.slack.blocks import DETAILS, card_message
from channels.slack.desk import NOT_CONFIRMED, Delivery, Desk, log
from channels.slack.filled import block_of
from channels.slack.inputs import COMMENT
from channels.slack.modals import (
    Intent,
    answers_view,
    comment_view,
    details_view,
    message_view,
    typeable_blocks,
)
from channels.slack.reference import Reference
from channels.slack.sight import card_for, own_card_for
from channels.slack.voting import Told, Wish, vote
from engine.errors import EngineError, Invalid
from engine.rules import ballots
from engine.rules.tally import Choice

Ack: TypeAlias = dict[str, object]
Listener: TypeAlias = Callable[[Desk, Delivery], Awaitable[Ack]]

NOTHING: Final[Ack] = {}


async def approve(desk: Desk, delivery: Delivery) -> Ack:
    """Approve at once; where a comment turns out to be required, ask for it."""
    reference = Reference.read(_action(delivery).value or "")
    told = await vote(desk, delivery, Wish.on(reference, Choice.APPROVE))
    if told is not None and told.asks_comment:
        intent = Intent(choice=Choice.APPROVE, reference=reference)
        delivery.afterwards.append(partial(_ask, desk, delivery, intent))
    elif told is not None:
        delivery.afterwards.append(partial(whisper, desk, delivery, told.text))
    return NOTHING


async def reject(desk: Desk, delivery: Delivery) -> Ack:
    """Ask for the comment; nothing is rejected before it is sent."""
    reference = Reference.read(_action(delivery).value or "")
    intent = Intent(choice=Choice.REJECT, reference=reference)
    delivery.afterwards.append(partial(_ask, desk, delivery, intent))
    return NOTHING


async def change(desk: Desk, delivery: Delivery) -> Ack:
    """Ask for the new values, or a form's answers; nothing is approved before they are sent."""
    reference = Reference.read(_action(delivery).value or "")
    intent = Intent(choice=Choice.APPROVE, reference=reference)
    delivery.afterwards.append(partial(_ask_answers, desk, delivery, intent))
    return NOTHING


async def more(desk: Desk, delivery: Delivery) -> Ack:
    """One of the further choices: a comment with the vote, or the details."""
    chosen = _action(delivery).selected_option
    value = (chosen.value if chosen else None) or ""
    choice, _, reference = value.partition(":")
    if choice == DETAILS:
        delivery.afterwards.append(partial(_show, desk, delivery, Reference.read(reference)))
    else:
        delivery.afterwards.append(partial(_ask, desk, delivery, Intent.read(value)))
    return NOTHING


async def submitted(desk: Desk, delivery: Delivery) -> Ack:
    """The comment was sent: vote with it, and say in the same window what became of it."""
    if not isinstance(delivery.said, wire.ViewSubmission):
        return NOTHING
    view = delivery.said.view
    intent = _own_intent(delivery, view)
    field = view.state.values.get(COMMENT, {}).get(COMMENT)
    wish = Wish.on(intent.reference, intent.choice, field.value if field else None)
    told = await vote(desk, delivery, wish)
    if told is None:
        return NOTHING
    if told.asks_comment or told.text == NOT_CONFIRMED:
        return {"response_action": "errors", "errors": {COMMENT: told.text}}
    return _answered(told)


async def changed(desk: Desk, delivery: Delivery) -> Ack:
    """The new values were sent, or a form's answers: approve with them, or say under its input what
    cannot be taken; the window stays, with all that was typed.
    """
    if not isinstance(delivery.said, wire.ViewSubmission):
        return NOTHING
    view = delivery.said.view
    intent = _own_intent(delivery, view)
    field = view.state.values.get(COMMENT, {}).get(COMMENT)
    wish = Wish.on(intent.reference, Choice.APPROVE, field.value if field else None)
    wish = replace(wish, inputs=view.state)
    told = await vote(desk, delivery, wish)
    if told is None:
        return NOTHING
    if told.about is None and not told.asks_comment and told.text != NOT_CONFIRMED:
        return _answered(told)
    card = await _look(desk, delivery, intent.reference)
    block = block_of(card, told.about or "") if isinstance(card, Card) else None
    return {"response_action": "errors", "errors": {block or COMMENT: told.text}}


async def nothing(_desk: Desk, _delivery: Delivery) -> Ack:
    """Acknowledge what needs no more: a link was opened, a window was closed."""
    return NOTHING


async def unknown(desk: Desk, delivery: Delivery) -> Ack:
    """A button or window of an earlier time, or of somebody else: say that nothing happened."""
    text = "This cannot be answered here any more. Nothing was recorded; open the approval instead."
    if isinstance(delivery.said, wire.ViewSubmission):
        return {"response_action": "update", "view": message_view("Signoff", text)}
    if isinstance(delivery.said, wire.Command):
        return {"response_type": "ephemeral", "text": text}
    delivery.afterwards.append(partial(whisper, desk, delivery, text))
    return NOTHING


async def installation_lost(_desk: Desk, delivery: Delivery) -> Ack:
    """The app was removed or its token revoked: nothing can be posted until an operator acts."""
    log.error("slack.installation_lost", team=delivery.caller.team)
    return NOTHING


async def truthfully(listener: Listener, desk: Desk, delivery: Delivery) -> Ack:
    """What `listener` answers; whatever goes wrong, people are told and Slack hears 200."""
    try:
        return await listener(desk, delivery)
    except Invalid:
        return await unknown(desk, delivery)
    except Exception as error:  # border: no failure of ours may look like a failure of Slack's
        log.error("slack.listener_failed", error=type(error).__name__)
    if isinstance(delivery.said, wire.ViewSubmission):
        return {"response_action": "errors", "errors": {COMMENT: NOT_CONFIRMED}}
    if isinstance(delivery.said, wire.Command):
        return {"response_type": "ephemeral", "text": NOT_CONFIRMED}
    delivery.afterwards.append(partial(whisper, desk, delivery, NOT_CONFIRMED))
    return NOTHING


def _action(delivery: Delivery) -> wire.Action:
    if not isinstance(delivery.said, wire.BlockActions):
        raise Invalid("No button was pressed.")
    return delivery.said.actions[0]


def _own_intent(delivery: Delivery, view: wire.View) -> Intent:
    intent = Intent.read(view.private_metadata)
    if intent.by != delivery.caller.identity:
        raise Invalid("This window was opened by somebody else.")
    return intent


def _answered(told: Told) -> Ack:
    title = "Recorded" if told.recorded else "Not counted"
    return {"response_action": "update", "view": message_view(title, told.text)}


async def _ask(desk: Desk, delivery: Delivery, intent: Intent) -> None:
    intent = replace(intent, by=delivery.caller.identity)
    view_id = await open_view(desk, delivery, comment_view(intent))
    if view_id is None:
        return
    found = await _look(desk, delivery, intent.reference)
    if isinstance(found, Card):
        await change_view(desk, view_id, comment_view(intent, card=found))
    else:
        await change_view(desk, view_id, message_view("Not possible", found))


async def _ask_answers(desk: Desk, delivery: Delivery, intent: Intent) -> None:
    view_id = await open_view(desk, delivery, message_view("Approve", "One moment…"))
    if view_id is None:
        return
    try:
        card, own = await desk.database.of(delivery.tenant).read(
            lambda tx: own_card_for(tx, desk, delivery, intent.reference.approval)
        )
    except EngineError as error:
        await change_view(desk, view_id, message_view("Not possible", str(error)))
        return
    why_not = _not_answerable(card, intent.reference)
    by_them = replace(intent, by=delivery.caller.identity)
    view = message_view("Not possible", why_not) if why_not else answers_view(by_them, card, own)
    await change_view(desk, view_id, view)


def _not_answerable(card: Card, reference: Reference) -> str | None:
    if card.ending is not None:
        return f"Nothing to do any more. {card.ending.headline}."
    if (card.version, card.digest) != (reference.version, reference.digest):
        return ballots.superseded()
    is_possible = bool(card.asked or typeable_blocks(card)) and card_message(card).can_vote
    return None if is_possible else "This cannot be answered here. Open it to review."


async def _show(desk: Desk, delivery: Delivery, reference: Reference) -> None:
    view_id = await open_view(desk, delivery, message_view("Details", "One moment…"))
    if view_id is None:
        return
    found = await _look(desk, delivery, reference)
    view = details_view(found) if isinstance(found, Card) else message_view("Details", found)
    await change_view(desk, view_id, view)


async def _look(desk: Desk, delivery: Delivery, reference: Reference) -> Card | str:
    try:
        return await desk.database.of(delivery.tenant).read(
            lambda tx: card_for(tx, desk, delivery, reference.approval)
        )
    except EngineError as error:
        return str(error)
