"""Changing what is asked in Slack: typed in a window, seen by everybody, and agreed to with one press."""

import pytest

from bot.demo.slack.messages import Message
from channels.base import Change, Changeable, Proposal
from channels.slack.blocks import card_message
from channels.slack.differences import lines
from engine.ids import DEFAULT_TENANT, PersonId
from engine.store.pictures import ApprovalPicture
from tests.channels.slack.cards import DIGEST, card
from tests.channels.slack.scene import ANA, BO, ROOM, Scene

pytestmark = pytest.mark.anyio

MODIFY: dict[str, object] = {"kind": "modify", "fields": ["amount"]}


async def shown_again(told: Scene, asked: ApprovalPicture) -> Message:
    """The card as it is now, posted once more."""
    now = await told.database.of(DEFAULT_TENANT).read(
        lambda tx: told.desk.card_of(tx, DEFAULT_TENANT, asked.id, PersonId("ana"))
    )
    await told.channel.post(now, to=ROOM, key=f"dlv_{asked.id}_again")
    return told.slack.messages(ROOM)[-1]


def is_asked(told: Scene) -> bool:
    """Whether the window in front of Ana has its inputs by now."""
    view = told.slack.space.views.top(ANA)
    return view is not None and "signoff:field:0" in str(view.content)


async def changed(told: Scene, message: Message, amount: str, **more: str) -> dict[str, str]:
    await told.slack.people.press(ANA, message, "Change…")
    await told.slack.until(lambda: is_asked(told) or None)
    values = {"signoff:field:0": amount, **more}
    return dict((await told.slack.people.submit(ANA, values)).errors)


async def test_a_value_that_cannot_be_taken_is_told_under_its_input(told: Scene) -> None:
    asked, message = await told.posted(**MODIFY)

    errors = await changed(told, message, "20.00 EUR")

    assert errors == {"signoff:field:0": "'amount' stays in USD."}
    assert not (await told.now(asked)).votes


async def test_a_plain_yes_or_no_has_no_button_to_change_it(told: Scene) -> None:
    _asked, message = await told.posted()

    assert "Change…" not in message.buttons


async def test_the_second_approver_agrees_to_exactly_these_changes(told: Scene) -> None:
    asked, message = await told.posted(**MODIFY)

    errors = await changed(told, message, "20")
    again = await shown_again(told, asked)
    await told.slack.people.press(BO, again, "Approve so")

    now = await told.now(asked)
    assert errors == {}
    assert "amount: 620.00 USD → 20.00 USD" in str(again.blocks)
    assert "As Ana Diaz changed it" in str(again.blocks)
    assert now.status == "approved"
    assert now.modifying.decided == {"amount": "20.00 USD"}
    over = await shown_again(told, asked)
    assert "Approved with changes by Ana Diaz and Bo Larsen" in str(over.blocks)
    assert "amount: 620.00 USD → 20.00 USD" in str(over.blocks)
    assert not {"Approve", "Approve so", "Change…"} & set(over.buttons)


async def test_approve_means_as_it_was_asked_whatever_others_would_change(told: Scene) -> None:
    asked, message = await told.posted(**MODIFY)
    await changed(told, message, "20")

    await told.slack.people.press(BO, await shown_again(told, asked), "Approve")

    now = await told.now(asked)
    assert now.status == "open"
    assert [outcome.have for outcome in now.modifying.outcomes] == [1, 1]


def test_a_change_is_shown_as_characters_and_never_forged() -> None:
    change = Change(label="note\n", old="<!here> \u202e", new="a → b\nc")

    assert lines([change]) == ("note ⏎  was: <!here> ⟨U+202E⟩\nnote ⏎  becomes: a → b ⏎ c")


def test_what_cannot_be_shown_whole_cannot_be_agreed_to() -> None:
    proposal = Proposal(
        digest=DIGEST,
        changes=(Change(label="note", old="x" * 2000, new="y" * 2000),),
        names=("Ana Diaz",),
        have=1,
        need=2,
        can_agree_here=True,
    )
    field = Changeable(label="note", value="x" * 2000, kind="text")

    many = (proposal,) * 9
    rendering = card_message(card(changeable=(field,), proposals=many))

    assert "Approve so" not in str(rendering.blocks)
    assert "6 more on the page" in str(rendering.blocks)
    assert len(rendering.blocks) <= 50
