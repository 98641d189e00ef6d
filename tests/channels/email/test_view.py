"""What a mail offers: two actions where all of it can be seen, one way to look where it cannot."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from channels.base import Change, Changeable, ChannelMisconfigured, Fact, Proposal, VoteLine
from channels.email.limits import FACT_CHARS_MAX, FACTS_MAX, HTML_BYTES_MAX, LINES_MAX, Room
from channels.email.rendering import card_html, card_text
from channels.email.view import CardView, card_view
from tests.channels.email.cards import APPROVED, PAGE, RESPOND, card, ended
from tests.clock import NOON

LONG = Fact(label="plan", value="x" * (FACT_CHARS_MAX + 1), is_material=True)


def offered(**changes: object) -> list[str]:
    return [button.label for button in card_view(card(**changes)).buttons]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"can_vote_here": False}, id="the card says no"),
        pytest.param({"facts": (LONG,)}, id="a material fact is too long"),
        pytest.param(
            {"facts": (Fact(label="a", value="\n" * LINES_MAX, is_material=True),)},
            id="a material fact has too many lines",
        ),
        pytest.param({"title": "x" * 301}, id="the title is too long"),
        pytest.param({"action": "x" * 301}, id="the action is too long"),
        pytest.param({"respond_url": None}, id="nobody in particular is addressed"),
        pytest.param(
            {"facts": tuple(Fact(label=str(n), value="1", is_material=True) for n in range(41))},
            id="there are too many material facts",
        ),
    ],
)
def test_what_cannot_be_seen_whole_cannot_be_approved_here(changes: dict[str, object]) -> None:
    assert offered(**changes) == ["Open to review"]
    assert card_view(card(**changes)).why_no_vote in card_text(card_view(card(**changes)))


def test_a_decided_approval_has_no_button_to_decide() -> None:
    view = card_view(ended())

    assert [(button.label, button.url) for button in view.buttons] == [("See what happened", PAGE)]
    assert RESPOND not in card_html(view) + card_text(view)
    assert APPROVED.headline in card_text(view)


def test_an_ending_outranks_a_status_that_is_still_open() -> None:
    assert offered(ending=APPROVED) == ["See what happened"]


def test_both_actions_lead_to_the_same_page_with_the_choice_preselected() -> None:
    urls = [button.url for button in card_view(card()).buttons]

    assert urls == [f"{RESPOND}?choice=approve", f"{RESPOND}?choice=reject"]


def test_a_long_fact_that_is_not_material_is_cut_and_named() -> None:
    view = card_view(card(facts=(*card().facts, replace(LONG, is_material=False))))

    assert view.may_vote
    assert view.left_out_labels == ("plan",)
    assert "Not shown here in full: plan." in card_text(view)
    assert "(the rest is too long for a mail)" in card_html(view)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//x", "https://b/\n", 'https://b/"', "https://b/<"]
)
def test_a_base_url_that_makes_no_links_is_an_error_and_no_mail(url: str) -> None:
    with pytest.raises(ChannelMisconfigured, match="SIGNOFF_BASE_URL"):
        card_view(card(page_url=url))


def test_the_fullest_mail_is_not_clipped_by_readers() -> None:
    many = tuple(Fact(label="&" * 80, value="<\u202e" * 9_000) for _ in range(FACTS_MAX * 2))
    words = tuple("&\u202e" * 300 for _ in range(99))
    vote = VoteLine(name="&" * 99, choice="approve", comment="\u202e" * 900, channel="x", at=NOON)

    view = card_view(card(facts=many, undoes=words, report=words, votes=(vote,) * 99))

    assert len(card_html(view).encode()) < HTML_BYTES_MAX


def test_the_text_part_says_everything_that_the_html_says() -> None:
    view = card_view(card(note="Reminder: still open", risk="low"))
    html, text = card_html(view), card_text(view)

    for words in (
        view.title,
        view.asked_by,
        view.deadline,
        view.note,
        *view.undoes,
        *view.progress,
    ):
        assert words in text
        assert words in html


@pytest.mark.parametrize("written", [card_html, card_text])
def test_a_sandbox_tells_what_would_be_and_nothing_as_undone(
    written: Callable[[CardView], str],
) -> None:
    rehearsed = card_view(card(title="[SANDBOX] Refund?", report=("book: would have been undone",)))
    real = card_view(card(report=("book: undone",)))

    assert ("What was undone" in written(real), "this is undone" in written(real)) == (True, True)
    assert "What would have been undone" in written(rehearsed)
    assert "this would be undone, in this order" in written(rehearsed)
    assert "was undone" not in written(rehearsed)


def test_room_is_given_to_whoever_asks_first() -> None:
    room = Room(bytes_left=20)

    assert room.fit("x" * 20, chars=100) == ("x" * 20, True)
    assert room.fit("y", chars=100) == ("…", False)


def test_old_and_new_stand_in_both_forms_of_a_mail_and_are_never_live() -> None:
    change = Change(label="note", old="<b>620</b>\u202e", new="https://evil.example → 20\nUSD")
    proposal = Proposal(
        digest="sha256:" + "cd" * 32, changes=(change,), names=("Ana Diaz",), have=1, need=2,
        can_agree_here=True,
    )  # fmt: skip
    field = Changeable(label="note", value="620", kind="text")

    view = card_view(card(proposals=(proposal,), changeable=(field,)))
    html, text = card_html(view), card_text(view)

    assert "Ana Diaz would approve with (1 of 2)" in html
    assert "Ana Diaz would approve with (1 of 2)" in text
    assert "You may change before you approve: note." in text
    assert "<b>620" not in html
    assert "\u202e" not in html + text
    assert "https://evil" not in html + text
    over = card_text(card_view(ended(decided=(Change(label="count", old="100", new="10"),))))
    assert "Changed by the approvers" in over
    assert "count: 100 → 10" in over
