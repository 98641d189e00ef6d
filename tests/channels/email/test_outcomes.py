"""A mail says what a form asks and a budget is about, leads to where it is answered, and tells what became of it."""

from typing import Any, Final

import pytest

from channels.base import Change, Changeable, Fact, Proposal, VoteLine
from channels.email.limits import HTML_BYTES_MAX
from channels.email.rendering import card_html, card_text
from channels.email.view import card_view
from engine.rules.forms import FIELDS_MAX, OPTION_CHARS_MAX, OPTIONS_MAX, fields_of
from engine.rules.tally import Choice
from engine.services import votes
from engine.services.votes import Ballot
from tests.channels.email.cards import card, ended
from tests.channels.office import ANA, BO, Office
from tests.clock import NOON

ONLY_MAIL: Final = {"email": ["ana@example.com", "bo@example.com"]}
ASKED: Final[dict[str, Any]] = {
    "required": ["when"],
    "properties": {
        "when": {
            "type": "string",
            "title": "When",
            "oneOf": [{"const": "t", "title": "Tonight"}, {"const": "m", "title": "Tomorrow"}],
        },
        "replicas": {"type": "integer", "title": "Replicas", "minimum": 1, "maximum": 9, "default": 3},
        "note": {"type": "string", "title": "<b>https://evil.example"},
    },
}  # fmt: skip
FORM: Final[dict[str, Any]] = {"kind": "form", "asked": fields_of(ASKED)}
FILLED: Final = (
    Change(label="When", old="", new="Tonight"),
    Change(label="Replicas", old="", new="4"),
)
BUDGET: Final[dict[str, Any]] = {
    "kind": "budget",
    "facts": (Fact(label="amount", value="50000.00"), Fact(label="currency", value="USD")),
    "changeable": (Changeable(label="amount", value="50000.00", kind="amount"),),
}
LESS: Final = (Change(label="amount", old="50000.00", new="40000.00"),)


def written(**changes: Any) -> tuple[str, str]:
    view = card_view(card(**changes))
    return card_html(view), card_text(view)


def proposed(changes: tuple[Change, ...]) -> Proposal:
    return Proposal(
        digest="sha256:" + "cd" * 32, changes=changes, names=("Ana Diaz",), have=1, need=2,
        can_agree_here=True,
    )  # fmt: skip


def test_words_of_a_form_are_never_live() -> None:
    html, text = written(**FORM)

    assert "<b>https" not in html
    assert "https://evil" not in html + text
    assert "&lt;b&gt;https[:]//evil[.]example (optional)" in html


def test_a_mail_that_offers_no_vote_asks_all_the_same_and_promises_no_form() -> None:
    for part in written(**FORM, can_vote_here=False):
        assert "To approve, fill in" in part
        assert "opens the form" not in part


def test_a_form_is_asked_in_both_parts_and_its_button_leads_there() -> None:
    for part in written(**FORM):
        assert "To approve, fill in" in part
        assert "When: one of Tonight, Tomorrow" in part
        assert "Replicas: 1 to 9; 3 unless you say otherwise" in part.replace(" (optional)", "")
        assert "opens the form: a mail cannot hold it. A rejection needs no answers." in part
    labels = [button.label for button in card_view(card(**FORM)).buttons]
    assert labels == ["Fill in to approve", "Reject"]


def test_a_form_that_has_an_answer_for_everything_is_approved_as_ever() -> None:
    asked = fields_of({"properties": {"replicas": {"type": "integer", "default": 3}}})

    assert card_view(card(kind="form", asked=asked)).buttons[0].label == "Approve"


def test_what_was_filled_in_is_told_while_it_is_open_and_after() -> None:
    vote = VoteLine(
        name="Ana", choice="approve", comment=None, channel="web", at=NOON, changes=FILLED
    )
    over = card_view(ended(**FORM, decided=FILLED, votes=(vote,)))

    for part in written(**FORM, proposals=(proposed(FILLED),)):
        assert "Ana Diaz would approve with (1 of 2)" in part
        assert "Replicas: 4" in part
    for part in (card_html(over), card_text(over)):
        assert "Filled in by the approvers" in part
        assert "When: Tonight" in part
        assert ", with When: Tonight, Replicas: 4" in part
        assert "To approve, fill in" not in part


def test_what_time_alone_decided_is_told_as_nobodys_answer() -> None:
    over = card_view(ended(**FORM, status="expired", decided=FILLED))

    assert "It went on with:\n- When: Tonight" in card_text(over)
    assert "by the approvers" not in card_html(over)


def test_a_budget_says_its_amount_and_what_was_granted_of_it() -> None:
    vote = VoteLine(
        name="Ana", choice="approve", comment=None, channel="web", at=NOON, changes=LESS
    )
    over = card_view(ended(**BUDGET, decided=LESS, votes=(vote,)))

    html, text = written(**BUDGET, proposals=(proposed(LESS),))
    assert ">50000.00 USD</p>" in html
    assert "Amount: 50000.00 USD" in text
    for part in (html, text):
        assert "Ana Diaz would grant (1 of 2)" in part
        assert "You may grant less: at most 50000.00 USD." in part
    for part in (card_html(over), card_text(over)):
        assert "Granted by the approvers" in part
        assert ", for 40000.00 USD" in part


def test_a_budget_whose_amount_may_not_be_shown_here_says_none() -> None:
    html, text = written(kind="budget", facts=(), left_out=("amount",))

    assert 'class="amount"' not in html
    assert "Amount:" not in text


def test_the_largest_form_is_not_clipped_by_readers() -> None:
    options = [str(number).ljust(OPTION_CHARS_MAX, "&") for number in range(OPTIONS_MAX)]
    properties = {
        f"f{number}": {"type": "string", "title": "&" * 100, "enum": options}
        for number in range(FIELDS_MAX)
    }
    asked = fields_of({"properties": properties})
    filled = tuple(Change(label="&" * 100, old="", new="&" * 2_000) for _ in range(FIELDS_MAX))
    vote = VoteLine(name="A", choice="approve", comment="&", channel="web", at=NOON, changes=filled)

    html, _ = written(
        kind="form", asked=asked, proposals=(proposed(filled),) * 20, votes=(vote,) * 20,
        decided=filled,
    )  # fmt: skip

    assert len(html.encode()) < HTML_BYTES_MAX


@pytest.mark.anyio
async def test_a_form_is_mailed_answered_and_told(post_office: Office) -> None:
    asked = await post_office.ask(kind="form", form=ASKED, routes=ONLY_MAIL)
    await post_office.dispatcher().drain()
    for person in (ANA, BO):
        ballot = Ballot(
            tenant=asked.tenant, approval=asked.id, person=person, choice=Choice.APPROVE,
            channel="email", identified_by="link", typed={"when": "t", "replicas": "4"},
        )  # fmt: skip
        await votes.vote(post_office.database, ballot)
    await post_office.dispatcher().drain()

    opened, decided = post_office.mail.mailbox.messages("ana@example.com")
    assert "- When: one of Tonight, Tomorrow" in opened.text
    assert "Fill in to approve:" in opened.text
    assert "- When: Tonight\n- Replicas: 4" in decided.text.replace("\r\n", "\n")
