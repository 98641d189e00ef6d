"""What approvals in a definition ask to be filled in or granted: refused where it is written, kept as it is ordered."""

import pytest

from engine.rules.definitions import BadDefinition
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.programs import compiled, definition_of
from engine.runtime.definitions.schema import json_schema
from engine.runtime.definitions.shapes import ApprovalStep

ASK = "- {name: a, type: approval, title: Go?, approvers: 'group:a'"
FORM = f"{ASK}, details: {{x: 1}}, kind: form, form: {{properties: {{when: {{type: string}}}}}}}}"
FIELDS = {"b": "b: {type: string}", "a": "a: {type: boolean}"}


def steps(*lines: str) -> str:
    return "\n".join(["name: x", "steps:", *(f"  {line}" for line in lines)])


def form_of(body: str) -> list[str]:
    step = definition_of(body).steps[0]
    properties = step.form["properties"] if isinstance(step, ApprovalStep) and step.form else {}
    return list(properties) if isinstance(properties, dict) else []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(
            [f"{ASK}, kind: form}}"], "line 3, column 5: This form cannot be asked", id="no form"
        ),
        pytest.param(
            [f"{ASK},", "   form: {properties: {n: {type: string}}}}"],
            "line 4, column 12: This form cannot be asked: only an approval of the kind form",
            id="a form of another kind",
        ),
        pytest.param(
            [f"{ASK}, kind: form,", "   form: {properties: {", "     n: {type: string},",
             "     m: {type: integer, pattern: x}}}}"],
            "line 6, column 11: This form cannot be asked: 'm': 'pattern' is not understood",
            id="a keyword that no form has",
        ),
        pytest.param(
            [f"{ASK}, kind: form,", "   form: {properties: {n: {type: integer, maximum: 3, default: 4}}}}"],
            "line 4, column 29: This form cannot be asked: 'n': its default is none of its answers",
            id="a default that is no answer",
        ),
        pytest.param(
            [f"{ASK}, kind: form,", "   form: {required: [m], properties: {n: {type: integer}}}}"],
            "line 4, column 12: This form cannot be asked: required lists names",
            id="required and not asked",
        ),
        pytest.param(
            [f"{ASK}, kind: form, fields: [x],", "   form: {properties: {n: {type: integer}}}}"],
            "These fields cannot be marked",
            id="fields of a form",
        ),
        pytest.param(
            [f"{ASK}, kind: budget, details: {{amount: lots}}}}"],
            "A budget asks for an amount above zero",
            id="a budget of no amount",
        ),
        pytest.param(
            [f"{ASK}, kind: budget}}"], "A budget asks for an amount above zero", id="no amount"
        ),
        pytest.param(
            [FORM, "- {name: b, type: checkpoint, asked: '${steps.a.form.whne}'}"],
            "Of `form` of step `a` there is no `whne`. Did you mean `when`?",
            id="an answer that is not asked",
        ),
        pytest.param(
            [FORM, "- {name: b, type: checkpoint, when: 'steps.a.form.whne == 1'}"],
            "there is no `whne`",
            id="an answer that is not asked, in a condition",
        ),
        pytest.param(
            [f"{ASK}}}", "- {name: b, type: checkpoint, asked: '${steps.a.form.when}'}"],
            "Of step `a` there is no `form`.",
            id="an answer of no form",
        ),
    ],
)  # fmt: skip
def test_what_nobody_could_be_asked_is_refused_where_it_is_written(
    lines: list[str], told: str
) -> None:
    with pytest.raises(BadDefinition) as refused:
        compiled(steps(*lines), Offered(authored={}))

    assert told in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        "asked: '${steps.a.form.when} ${steps.a.details.x} ${steps.a.changes.y}'",
        "when: 'steps.a.form.size() > 0 && steps.a.form.when.size() > 0 && steps.a.by.size() > 0'",
    ],
)
def test_what_a_form_gives_can_be_named(line: str) -> None:
    named = f"- {{name: b, type: checkpoint, {line}}}"

    assert compiled(steps(FORM, named), Offered(authored={})).name == "x"


@pytest.mark.parametrize(
    "asked",
    [
        "kind: form, form: {properties: {n: {type: integer, default: '${run.id}'}}}}",
        "kind: form, form: {properties: '${run.feedback}'}}",
        "kind: budget, details: {amount: '${run.id}'}}",
    ],
)
def test_what_a_run_fills_in_is_left_to_the_run(asked: str) -> None:
    assert compiled(steps(f"{ASK}, {asked}"), Offered(authored={})).name == "x"


def test_the_order_in_which_a_form_asks_is_kept_and_is_another_version() -> None:
    found = [
        compiled(
            steps(f"{ASK}, kind: form, form: {{properties: {{{FIELDS[one]}, {FIELDS[two]}}}}}}}"),
            Offered(authored={}),
        )
        for one, two in ("ba", "ab")
    ]

    assert [form_of(each.body) for each in found] == [["b", "a"], ["a", "b"]]
    assert found[0].version != found[1].version


def test_editors_know_the_kinds_and_the_form() -> None:
    asking = json_schema()["$defs"]["ApprovalStep"]["properties"]

    assert {"form", "budget"} <= set(asking["kind"]["anyOf"][0]["enum"])
    assert asking["form"]["anyOf"][0]["type"] == "object"
