"""What a card and a window say of a form: all of it, within Slack's limits, or no vote here."""

from dataclasses import replace
from typing import Any

import pytest

from bot.demo.slack.blocks import Surface, block_problems, is_too_large, view_problems
from bot.demo.trees import Record, record, records, text
from channels.base import Card, Change, Proposal
from channels.slack import limits
from channels.slack.blocks import card_message
from channels.slack.inputs import form_inputs, is_fillable
from channels.slack.modals import Intent, answers_view
from channels.slack.reference import Reference
from engine.rules.forms import Field, Input, Option, fields_of
from engine.rules.tally import Choice
from tests.channels.slack.cards import ANA_SAID, APPROVAL, DIGEST, card
from tests.channels.slack.forms import FORM
from tests.channels.slack.test_blocks import buttons, fact, words

FIELDS = fields_of(FORM)
INTENT = Intent(
    choice=Choice.APPROVE,
    reference=Reference(approval=APPROVAL, version=1, digest=DIGEST),
    by="T0DEMO/U0ANA",
)
NOTE = Field(name="note", label="Note", help="", input=Input.TEXT, is_required=False)
HUNDRED = tuple(Option(value=str(n), label="é" * 75) for n in range(100))


def form(*asked: Field, **changes: Any) -> Card:
    return card(kind="form", asked=asked or FIELDS, **changes)


def element(asked: Field) -> Record:
    [block] = form_inputs([asked], {})
    return record(block["element"])


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(
            (replace(NOTE, is_required=True, label="No\u3164te"),), id="an invisible label"
        ),
        pytest.param((replace(NOTE, is_required=True, help="\u3164"),), id="an invisible help"),
        pytest.param(
            (
                replace(NOTE, label="a"),
                replace(NOTE, is_required=True, default=None, help="\u2800"),
            ),
            id="one of several",
        ),
        pytest.param(
            tuple(
                replace(NOTE, name=f"f{n}", is_required=True, input=Input.ONE, options=HUNDRED)
                for n in range(20)
            ),
            id="more than a window holds",
        ),
    ],
)
def test_a_form_that_no_window_shows_as_it_is_has_no_approve_here(asked: tuple[Field, ...]) -> None:
    shown = form(*asked)

    assert buttons(shown) == ["Open to review"]
    assert not is_fillable(asked)


def test_a_default_that_the_card_does_not_show_whole_is_not_approved_by_one_press() -> None:
    long = tuple(replace(NOTE, name=f"f{n}", default="x" * 1_000) for n in range(4))

    assert buttons(form(*long))[0] == "Approve…"
    assert buttons(form(*long[:2]))[:2] == ["Approve", "Fill in…"]


def test_only_a_press_that_approves_asks_twice_and_a_window_has_its_own_comment() -> None:
    assert "The risk is high" not in words(form(risk="high"))
    assert "The risk is high" in words(form(NOTE, risk="high"))
    assert "Approve with comment…" not in words(form())
    assert "Approve with comment…" in words(card())


def test_a_card_says_every_field_with_its_limits_and_its_default() -> None:
    said = words(form())

    for line in (
        "• When: one of tonight, tomorrow",
        "• Note: 3 to 40 characters",
        "• why (optional)\n",
        "• Replicas (optional): at most 9; 3 unless you say otherwise",
        "• share (optional): 0.5 to 2.5",
        "• On call (optional): yes or no; yes unless you say otherwise",
        "• Checks (optional): any of Smoke test, load; choose at least 1",
        "• region (optional): one of eu-0, eu-1",
        "• day (optional): a day",
    ):
        assert line in said
    assert "and 98 more" in words(form(replace(NOTE, input=Input.ONE, options=HUNDRED)))


def test_each_field_has_the_input_that_suits_it() -> None:
    kinds = [(text(element(each), "type"), element(each)) for each in FIELDS]
    view = answers_view(INTENT, form(), {"note": "Before", "checks": ["load"], "replicas": None})

    assert [kind for kind, _ in kinds] == [
        *("radio_buttons", "plain_text_input", "plain_text_input", "number_input", "number_input"),
        *("checkboxes", "radio_buttons", "checkboxes", "static_select", "multi_static_select"),
        "datepicker",
    ]
    assert [kinds[n][1].get("is_decimal_allowed") for n in (3, 4)] == [False, True]
    assert [each.get("optional") for each in records(view["blocks"])[1:4]] == [False, False, True]
    blocks = {text(each, "label", "text"): each for each in records(view["blocks"])}
    assert text(blocks["Note"], "element", "initial_value") == "Before"
    assert "initial_value" not in record(blocks["Replicas"]["element"])
    assert "load" in str(record(blocks["Checks"]["element"])["initial_options"])
    assert text(blocks["why"], "hint", "text") == "For the record"
    assert text(blocks["Note"], "hint", "text") == "3 to 40 characters"
    assert view_problems(view, Surface.MODAL) == []


def test_the_fullest_form_keeps_every_limit() -> None:
    name = "Ä" * 100
    most = tuple(
        replace(each, name=f"{each.name}{n}", label=name, help="&" * 500, options=each.options)
        for n in range(2)
        for each in FIELDS
    )
    answers = tuple(Change(label=name, old="", new="<" * 2_000) for _ in most)
    proposal = Proposal(
        digest=DIGEST, changes=answers, names=("n" * 200,), have=1, need=2, can_agree_here=True
    )
    facts = tuple(fact(150, label=f"fact {n}", is_material=False) for n in range(200))
    voted = (replace(ANA_SAID, changes=answers),) * 30
    full = form(
        *most,
        proposals=(proposal,) * 9,
        facts=facts,
        votes=voted,
        stays=("x",),
        note="n",
        title="t" * 200,
    )

    view = answers_view(INTENT, full, {})

    for shown in (full, replace(full, status="approved", decided=answers)):
        blocks = list(card_message(shown).blocks)
        assert len(blocks) <= limits.MESSAGE_BLOCKS
        assert block_problems(blocks, Surface.MESSAGE) == []
    assert view_problems(view, Surface.MODAL) == []
    assert not is_too_large(view)
