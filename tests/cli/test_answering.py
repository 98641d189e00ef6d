"""Forms and budgets in a terminal: what is missing or is no answer is named first, then people fill them in."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.answering import Put, ask
from channels.visible import visible
from engine.rules.forms import fields_of
from tests.cli.conftest import Signoff
from tests.cli.ground import SECONDS_MAX, Server, until

FORM = {
    "required": ["when", "checks"],
    "properties": {
        "when": {"type": "string", "title": "When", "enum": ["now", "tonight"]},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "checks": {"type": "array", "minItems": 1, "items": {"enum": ["smoke", "load"]}},
        "page": {"type": "boolean", "title": "Page somebody", "description": "At night"},
    },
}


def waiting(signoff: Signoff, *words: str) -> tuple[str, str]:
    """A run, and the approval that it waits for."""
    run = signoff("run", *words).out.strip()
    until(lambda: signoff("runs", "show", run, "--json").json["waiting_for"])
    return run, str(signoff("runs", "show", run, "--json").json["waiting_for"]["approval"])


def answers(*given: str) -> list[str]:
    return [word for each in given for word in ("--answer", each)]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param([], "--answer when=…", id="nothing, and nobody to ask"),
        pytest.param(answers("replicas=4"), "--answer when=…", id="too little"),
        pytest.param(answers("when="), "--answer when=…", id="an empty answer"),
        pytest.param(answers("when"), "field=value", id="no answer"),
        pytest.param(answers("when=now", "when=tonight"), "field=value", id="two answers"),
        pytest.param(answers("when=later"), "'When' needs one of now, tonight", id="no option"),
        pytest.param(answers("when=now", "replicas=many"), "a whole number", id="no number"),
        pytest.param(answers("when=now", "replicas=10"), "at most 9", id="beyond the limit"),
        pytest.param(answers("when=now", "checks=odd"), "'Checks' needs", id="no options"),
        pytest.param(answers("when=now", "region=eu"), "is not asked here", id="not asked"),
        pytest.param(["--as", "bo"], "nobody yet does", id="as nobody"),
        pytest.param(["--change", "when=now", *answers("when=now")], "go under form", id="changed"),
    ],
)
def test_a_form_that_is_not_filled_in_as_asked_is_no_vote(
    signoff: Signoff, words: list[str], named: str
) -> None:
    _run, approval = waiting(signoff, "release")

    said = signoff("approvals", "approve", approval, *words, who="ana")

    assert said.code == 2
    assert "[invalid_form]" in said.err
    assert named in said.err
    assert signoff("approvals", "show", approval, "--json").json["votes"] == []


def test_answers_where_none_are_asked_are_no_vote(signoff: Signoff) -> None:
    _run, approval = waiting(signoff, "pay", "-i", "order=o9")

    said = signoff("approvals", "approve", approval, *answers("when=now"), who="ana")

    assert (said.code, "[invalid_changes]" in said.err) == (2, True), said.err


def test_whoever_rejects_is_asked_nothing(signoff: Signoff) -> None:
    _run, approval = waiting(signoff, "release")

    assert signoff("approvals", "reject", approval, "--json", who="bo").json["status"] == "rejected"


def test_a_form_is_shown_filled_in_and_agreed_to(signoff: Signoff) -> None:
    run, approval = waiting(signoff, "release")
    before = signoff("approvals", "show", approval).out

    filled = answers("when=Right now", "replicas=4", "checks=load, smoke", "page=no")
    first = signoff("approvals", "approve", approval, *filled, who="ana")
    between = signoff("approvals", "show", approval).out
    second = signoff("approvals", "approve", approval, "--as", "ana", "--json", who="bo")

    assert "When: one of Right now, tonight" in before
    assert "replicas: 1 to 9; 3 unless you say otherwise" in before
    assert first.out.splitlines()[-1].startswith("Recorded. 1 of 2 approvals")
    assert {"When: Right now", "replicas: 4", "Checks: smoke, load"} <= lines(between, "ana with")
    assert second.json["status"] == "approved"
    after = signoff("approvals", "show", approval).out
    assert {"When: Right now", "Page somebody: no"} <= lines(after, "filled in")
    until(lambda: "released now, 4 times" in signoff("runs", "show", run).out)


def test_at_a_terminal_each_field_is_asked_for(
    signoff: Signoff, server: Server, home_of: Callable[[str | None], Path]
) -> None:
    _run, approval = waiting(signoff, "release")
    keyboard, terminal = os.openpty()
    os.write(keyboard, b"later\ntonight\n\nload\nno\n")

    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "signoff", "approvals", "approve", approval],
        cwd=server.shop.folder, env={**server.shop.environment(home_of("ana")), **paths},
        stdin=terminal, capture_output=True, timeout=SECONDS_MAX, text=True, check=True,
    )  # fmt: skip
    os.close(keyboard)
    os.close(terminal)

    assert "'When' needs one of now, tonight." in done.stderr
    assert done.stdout.splitlines()[-1].startswith("Recorded. 1 of 2 approvals")
    [vote] = signoff("approvals", "show", approval, "--json").json["votes"]
    filled = {"when": "tonight", "replicas": 3, "checks": ["load"], "page": False}
    assert vote["form"] == filled


@pytest.mark.parametrize("amount", ["amount=100.01", "amount=90.00 EUR", "amount=0"])
def test_of_a_budget_nobody_grants_more_or_something_else(signoff: Signoff, amount: str) -> None:
    _run, approval = waiting(signoff, "fund", "-i", "amount=100.00 USD")

    said = signoff("approvals", "approve", approval, "--change", amount, who="ana")

    assert (said.code, "[invalid_changes]" in said.err) == (2, True), said.err


def test_less_is_granted_of_a_budget(signoff: Signoff) -> None:
    run, approval = waiting(signoff, "fund", "-i", "amount=100.00 USD")

    shown = signoff("approvals", "approve", approval, "--change", "amount=40", who="ana").out

    assert "at most 100.00 USD" in lines(shown, "may grant")
    after = signoff("approvals", "show", approval).out
    assert "amount: 100.00 USD → 40.00 USD" in lines(after, "granted")
    until(lambda: "settled with 40.00 USD" in signoff("runs", "show", run).out)


def test_each_field_is_asked_for_until_it_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["later", "", "tonight", "10", "4", "", "odd", "load,smoke", "perhaps", "yes"]

    given = ask(fields_of(FORM), scripted(typed))

    assert given == {"when": "tonight", "replicas": 4, "checks": ["smoke", "load"], "page": True}
    assert typed == []
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["'When' needs one of now, tonight.", "'When' must be answered to approve."]
    assert len(told) == 6


def test_what_has_a_default_is_offered_and_what_is_optional_is_left_out() -> None:
    offered: dict[str, str] = {}

    def put(question: str, default: str) -> str:
        offered[question] = default
        return default or {"W": "now", "c": "load"}.get(question[0], "")

    given = ask(fields_of(FORM), put)

    assert given == {"when": "now", "replicas": 3, "checks": ["load"], "page": None}
    assert offered["replicas (optional): 1 to 9; 3 unless you say otherwise"] == "3"
    assert "Page somebody (optional): yes or no (At night)" in offered


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "array", "items": {"enum": ["a", "b", "a, b"]}, "default": ["a, b", "b"]},
        {"type": "array", "items": {"enum": ["a", "b", "a, b"]}, "default": ["a, b"]},
        {"type": "string", "format": "textarea", "default": "one\u200b\ntwo"},
    ],
)
def test_what_is_offered_is_taken_as_it_is(asked: dict[str, object]) -> None:
    entered = [visible]  # once: asked again, it was refused

    given = ask(
        fields_of({"properties": {"it": asked}}), lambda _question, default: entered.pop()(default)
    )

    assert given == {"it": asked["default"]}


def scripted(typed: list[str]) -> Put:
    """Somebody who types these, one after the other."""
    return lambda _question, _default: typed.pop(0)


def lines(text: str, label: str) -> set[str]:
    """What stands behind `label`."""
    found = (line.strip() for line in text.splitlines())
    return {line.removeprefix(label).strip() for line in found if line.startswith(label)}
