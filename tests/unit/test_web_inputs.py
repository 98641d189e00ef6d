"""An approval's inputs: of a form, of what may be changed, and of a budget."""

from typing import Any

import pytest

from bot.web.form_fields import FormField, Sent, form_fields
from engine.rules.forms import Option
from tests.web import samples, shown

ANA = {"id": "ana"}


def inputs(properties: dict[str, Any], *, required: bool = True) -> list[FormField]:
    form = {"properties": properties, "required": list(properties) if required else []}
    return form_fields(shown.approval(kind="form", form=form))


def test_a_yes_or_no_has_no_inputs() -> None:
    assert form_fields(shown.approval()) == []


def test_a_form_becomes_inputs_of_their_kind() -> None:
    fields = form_fields(shown.approval(kind="form", form=samples.FORM))

    kinds = {field.label: field.kind for field in fields}
    assert kinds == {
        "Cost account": "text",
        "Why": "lines",
        "Amount": "number",
        "<b>Urgent</b>": "radios",
        "Speed": "radios",
        "Place": "menu",
        "Tell": "several",
        "Until": "date",
    }
    assert [field.label for field in fields if field.is_required] == ["Cost account"]
    limits = {"min": "0", "max": "900", "step": "any", "inputmode": "decimal"}
    assert fields[2].limits == limits
    assert [each.value for each in fields[6].options] == ["ana", "bo"]


@pytest.mark.parametrize(
    ("limits", "keys"),
    [({}, None), ({"minimum": -1}, None), ({"minimum": 0}, "numeric")],
    ids=["no limit", "below zero", "from zero"],
)
def test_figures_alone_are_offered_only_where_no_minus_is_needed(
    limits: dict[str, int], keys: str | None
) -> None:
    (field,) = inputs({"it": {"type": "integer", **limits}})

    assert (field.limits.get("inputmode"), field.limits["step"]) == (keys, "1")


@pytest.mark.parametrize(
    ("required", "default", "value"),
    [(True, {}, ""), (False, {}, "no"), (False, {"default": True}, "yes")],
)
def test_a_yes_or_no_is_answered_by_nobody_else_only_where_it_must_be(
    required: bool, default: dict[str, bool], value: str
) -> None:
    (field,) = inputs({"it": {"type": "boolean", **default}}, required=required)

    assert field.value == value


def test_one_of_many_may_be_left_out_only_where_it_is_optional() -> None:
    few: dict[str, Any] = {"type": "string", "enum": ["a", "b"]}
    many: dict[str, Any] = {"type": "string", "enum": list("abcdef")}
    must = inputs({"few": few, "many": many})
    may = inputs({"few": few, "many": many}, required=False)

    none = Option(value="", label="No answer")
    assert none not in must[0].options
    assert must[1].options[0] == Option(value="", label="Choose…")
    assert may[0].options[-1] == may[1].options[0] == none


def test_what_somebody_answered_before_stands_there_again() -> None:
    given = shown.vote("ana", "approve", form={"account": "4711", "tell": ["bo"]})
    asked = shown.approval(**{**samples.ASKED, "votes": [given]})

    mine = {field.name: field.value for field in form_fields(asked, ANA)}

    assert (mine["form.account"], mine["form.tell"], mine["form.place"]) == ("4711", "bo", "")
    assert {field.name: field.value for field in form_fields(asked)}["form.place"] == "b"


def test_what_no_number_or_day_can_be_is_shown_as_the_text_it_was() -> None:
    asked = shown.approval(**samples.ASKED)

    refused = {field.name: field for field in form_fields(asked, ANA, samples.SENT)}

    assert (refused["form.amount"].type, refused["form.amount"].value) == ("text", "many")
    assert (refused["form.by"].type, refused["form.by"].value) == ("text", "soon")
    assert refused["form.amount"].refusal == "<b>no</b>"
    assert not refused["form.by"].refusal
    assert form_fields(asked, ANA, Sent(choice="approve")) == form_fields(asked, ANA)


def test_only_fields_that_may_change_are_offered() -> None:
    details: dict[str, Any] = {"order": "17", "amount": 620, "note": "a\nb", "odd": "a\u200bb"}
    modify = shown.approval(kind="modify", fields=["amount", "note", "odd"], details=details)

    assert [(field.name, field.kind) for field in form_fields(modify)] == [
        ("changes.amount", "number"),
        ("changes.note", "lines"),
    ]


@pytest.mark.parametrize(
    ("details", "smallest", "limit"),
    [
        ({"amount": "620.00 USD"}, "0.01", "at most 620.00 USD"),
        ({"amount": "620", "currency": "JPY"}, "1", "at most 620 JPY"),
    ],
)
def test_of_a_budget_a_figure_is_asked_that_goes_down(
    details: dict[str, str], smallest: str, limit: str
) -> None:
    budget = shown.approval(kind="budget", fields=["amount"], details=details)

    (field,) = form_fields(budget)

    figure = details["amount"].removesuffix(" USD")
    assert (field.name, field.value, field.asked) == ("changes.amount", figure, figure)
    assert (field.limits["min"], field.limits["max"]) == (smallest, figure)
    assert field.limit == limit
