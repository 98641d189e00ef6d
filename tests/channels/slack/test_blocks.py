"""A card shows everything that matters, or offers no vote; and it keeps every limit of Slack."""

from dataclasses import replace

import pytest

from bot.demo.slack.blocks import Surface, block_problems
from channels.base import Card, Fact
from channels.slack import limits
from channels.slack.blocks import ACTION_CHARS, card_message
from channels.slack.facts import BLOCKS_MOST, LABEL_CHARS
from channels.slack.reference import Reference
from channels.slack.trees import at, is_record, is_rows, rows, text
from tests.channels.slack.cards import ANA_SAID, APPROVAL, DIGEST, PAGE, card, ended


def buttons(shown: Card) -> list[str]:
    """The labels of everything that can be pressed."""
    actions = [block for block in card_message(shown).blocks if block["type"] == "actions"]
    return [
        text(element, "text", "text") or text(element, "type")
        for block in actions
        for element in rows(block, "elements")
    ]


def words(shown: Card) -> str:
    """Everything the message says."""
    return "\n".join(strings(list(card_message(shown).blocks)))


def strings(value: object) -> list[str]:
    if is_record(value):
        return [found for item in value.values() for found in strings(item)]
    if is_rows(value):
        return [found for item in value for found in strings(item)]
    return [value] if isinstance(value, str) else []


def fact(chars: int, *, is_material: bool = True, label: str = "payload") -> Fact:
    return Fact(label=label, value="x" * chars, is_material=is_material)


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(card(can_vote_here=False), id="the channel may not vote"),
        pytest.param(card(facts=(fact(limits.SECTION_TEXT + 1),)), id="a value is too long"),
        pytest.param(card(facts=(fact(10_000_000),)), id="a value is ten megabytes"),
        pytest.param(card(title="t" * (limits.SECTION_TEXT + 1)), id="the title is too long"),
        pytest.param(card(action="a" * (ACTION_CHARS + 1)), id="the action is too long"),
        pytest.param(card(facts=(fact(2_500),) * 5), id="too much in all"),
        pytest.param(
            card(facts=(fact(1, label="l" * (LABEL_CHARS + 1)),)), id="a label is too long"
        ),
        pytest.param(
            card(facts=tuple(fact(121, label=str(n)) for n in range(BLOCKS_MOST))), id="many values"
        ),
    ],
)
def test_what_is_not_all_shown_cannot_be_approved_here(hidden: Card) -> None:
    assert buttons(hidden) == ["Open to review"]
    assert block_problems(list(card_message(hidden).blocks), Surface.MESSAGE) == []


@pytest.mark.parametrize("chars", [0, 1, 120, 121, 2_000, limits.SECTION_TEXT])
def test_a_material_value_is_shown_to_the_last_character(chars: int) -> None:
    shown = card(facts=(fact(chars),))

    assert card_message(shown).left_out == ()
    assert ("x" * chars or "(blank)") in words(shown)
    assert "Approve" in buttons(shown)


def test_what_is_left_out_is_named_and_its_length_is_told() -> None:
    shown = card(facts=(fact(3_001, is_material=False),), left_out=("iban",))

    rendering = card_message(shown)

    assert rendering.left_out == ("iban", "payload")
    assert "3,001 characters, not all shown" in words(shown)
    assert "Not shown in Slack: iban" in words(shown)
    assert rendering.can_vote


def test_material_facts_come_before_the_others_and_take_the_room() -> None:
    long = tuple(fact(2_400, is_material=False, label=f"other {n}") for n in range(4))

    rendering = card_message(card(facts=(*long, fact(2_900))))

    assert rendering.can_vote
    assert rendering.left_out == ("other 2", "other 3")


def test_a_value_that_grows_when_made_visible_is_measured_as_shown() -> None:
    assert buttons(card(facts=(Fact(label="a", value="\u200b" * 400, is_material=True),))) == [
        "Open to review"
    ]


@pytest.mark.parametrize("over", ["ended", "status"])
def test_no_button_survives_the_end(over: str) -> None:
    shown = ended(report=("Charge taken back",)) if over == "ended" else card(status="expired")

    assert buttons(shown) == []
    assert "signoff:approve" not in words(shown)


def test_an_ended_card_says_who_when_and_from_where() -> None:
    said = words(ended(report=("Charge taken back",)))

    assert "Approved by Ana Diaz and Bo Larsen" in said
    assert "Ana Diaz approved via slack, <!date^1768478400^" in said
    assert "Charge taken back" in said
    assert f"<{PAGE}|Open the record>" in said


def test_an_open_card_says_everything_that_an_approver_asks() -> None:
    said = words(card(votes=(ANA_SAID,), note="Reminder: two hours left"))

    for expected in (
        *("Refund order 17?", "Dee Okafor", "refund", "620.00 USD", "Reminder: two hours left"),
        *("If rejected, these are undone:*\n• Take back the charge", "*Approvals:* 0 of 2"),
        *("Ana Diaz approved via slack", "“Fine”", "Then: rejected", "abababababab", "version 1"),
        "<!date^1768492800^{date_short_pretty} {time}|2026-01-15 16:00 UTC>",
    ):
        assert expected in said
    assert buttons(card()) == ["Approve", "Reject…", "overflow", "Open"]


def test_a_sandbox_tells_what_would_be_and_nothing_as_undone() -> None:
    title = "[SANDBOX] Refund order 17?"
    shown = [
        words(card(title=title)),
        words(ended(title=title, report=("book: would have been undone",))),
    ]

    assert "*If rejected, these would be undone" in shown[0]
    assert "*What would have been undone*" in shown[1]
    assert "*What was undone*" in words(ended(report=("book: undone",)))


def test_an_unverified_requester_is_marked_as_a_claim() -> None:
    said = words(card(requester="Ana Diaz", requester_is_verified=False))

    assert "claims to be “Ana Diaz”" in said
    assert "claims" not in words(card())


def test_only_high_risk_asks_twice() -> None:
    [*_, actions, _] = card_message(card(risk="high")).blocks
    [approve, *_] = rows(actions, "elements")

    assert text(approve, "confirm", "confirm", "text") == "Approve"
    [*_, actions, _] = card_message(card(risk="medium")).blocks
    [approve, *_] = rows(actions, "elements")
    assert at(approve, "confirm") is None


def test_a_button_carries_a_reference_and_no_data() -> None:
    [*_, actions, _] = card_message(card()).blocks
    [approve, reject, more, _] = rows(actions, "elements")

    value = text(approve, "value")
    assert value == text(reject, "value")
    assert Reference.read(value) == Reference(approval=APPROVAL, version=1, digest=DIGEST)
    assert {text(option, "value") for option in rows(more, "options")} == {
        f"{choice}:{value}" for choice in ("approve", "request_changes", "details")
    }


def test_every_id_is_ours() -> None:
    everything = card(votes=(ANA_SAID,), note="n", left_out=("x",), title="t" * 200)

    for block in card_message(everything).blocks:
        assert text(block, "block_id").startswith("signoff:")
        for element in rows(block, "elements") if block["type"] == "actions" else ():
            assert text(element, "action_id").startswith("signoff:")


def test_the_fullest_card_keeps_every_limit() -> None:
    facts = tuple(fact(150, label=f"fact {n}", is_material=False) for n in range(200))
    voted = tuple(replace(ANA_SAID, name="n" * 200, comment="&" * 2_000) for _ in range(300))
    lines = tuple("<" * 500 for _ in range(100))
    full = card(
        facts=facts, votes=voted, undoes=lines, note="&" * 9_000, title="<" * 9_000, risk="high"
    )

    for shown in (full, replace(full, report=lines, status="approved", ending=ended().ending)):
        blocks = list(card_message(shown).blocks)
        assert len(blocks) <= limits.MESSAGE_BLOCKS
        assert block_problems(blocks, Surface.MESSAGE) == []


def test_the_same_card_has_the_same_hash_and_any_change_another() -> None:
    same, other = card_message(card()), card_message(card(version=2))

    assert same.shown == card_message(card()).shown
    assert same.shown != other.shown
