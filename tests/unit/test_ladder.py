"""A ladder is read strictly, ends for certain, and says itself again."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.approvers import parse_approvers
from engine.rules.ladder import (
    RUNG_CHARS_MAX,
    RUNGS_MAX,
    TERMINAL,
    Rung,
    Verb,
    due,
    expires_at,
    extended,
    ladder_from_json,
    ladder_to_json,
    parse_ladder,
)
from engine.rules.wording import BadRule

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = "reject after 4h"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param([], "never ends.*'reject after 4h'", id="no rungs never end"),
        pytest.param(["remind after 30m"], "never ends", id="reminding never ends"),
        pytest.param([END, "remind after 5h"], "never ends", id="an end that is not the last"),
        pytest.param(
            ["hold after 1h", END], "Nothing can follow 'hold", id="an end before the end"
        ),
        pytest.param(["remind after 4h", END], "must come later", id="an end at the same time"),
        pytest.param(["remind after 5h", END], "must come later", id="an end too early"),
        pytest.param(
            ["remind after 2h", "widen to group:x after 1h", END], "must come later", id="disorder"
        ),
        pytest.param(["remind after 1m"] * 20 + [END], "21 rungs; 20", id="more than 20 rungs"),
        pytest.param(None, "not a ladder", id="nothing"),
        pytest.param({"reject": "4h"}, "not a ladder", id="a table"),
        pytest.param([7], "7 is not a rung", id="a number"),
        pytest.param("reject", "does not say when", id="no time"),
        pytest.param("after 4h", "does not say when", id="only a time"),
        pytest.param("reject at 4h", "does not say when", id="another word for after"),
        pytest.param("deny after 4h", "is not a rung", id="an unknown verb"),
        pytest.param("Reject after 4h", "is not a rung", id="verbs are lower case"),
        pytest.param("reject all after 4h", "is not a rung", id="a verb with too much"),
        pytest.param("remind to group:x after 4h", "is not a rung", id="remind has no object"),
        pytest.param("widen after 4h", "is not a rung", id="widen to whom"),
        pytest.param("escalate with group:x after 4h", "is not a rung", id="with is not to"),
        pytest.param("continue after 4h", "is not a rung", id="continue with what"),
        pytest.param("continue to {} after 4h", "is not a rung", id="to is not with"),
        pytest.param("continue with [] after 4h", "not an object in braces", id="a list"),
        pytest.param("continue with after 4h", "is not JSON", id="with nothing"),
        pytest.param('continue with {"a":1,"a":2} after 4h', "a key appears twice", id="key twice"),
        pytest.param('continue with {"a":NaN} after 4h', "NaN is not a number", id="NaN"),
        pytest.param("reject after 4h in business hours", "by the clock", id="business hours"),
        pytest.param("reject after 4h in business hours ", "by the clock", id="and a blank"),
        pytest.param("approve after 4h", "'approve after 4h'.*low risk only", id="not by itself"),
        pytest.param(f'continue with {{"a":"{"x" * 4_000}"}} after 4h', "4000 char", id="too long"),
    ],
)
def test_a_bad_ladder_is_refused(raw: object, says: str) -> None:
    with pytest.raises(BadRule, match=says) as refused:
        parse_ladder(raw, risk="medium")

    assert refused.value.code == "bad_ladder"


@pytest.mark.parametrize(
    ("rung", "code"),
    [
        pytest.param("reject after soon", "bad_duration", id="a time that is none"),
        pytest.param("reject after 4h sharp", "bad_duration", id="a time with more"),
        pytest.param("widen to after 1h", "bad_approver", id="to nobody"),
        pytest.param("escalate to finance after 1h", "bad_approver", id="to somebody misnamed"),
    ],
)
def test_a_bad_part_keeps_its_code(rung: str, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_ladder([rung, END], risk="low")

    assert refused.value.code == code


@pytest.mark.parametrize("risk", ["medium", "high", "", "LOW"])
def test_nothing_approves_itself_above_low_risk(risk: str) -> None:
    with pytest.raises(BadRule, match="low risk only"):
        parse_ladder(["approve after 4h"], risk=risk)


def test_what_approves_itself_at_low_risk_is_accepted() -> None:
    ladder = parse_ladder(["approve after 4h"], risk="low")

    assert ladder == (Rung(verb=Verb.APPROVE, after=4 * HOUR),)
    assert ladder_from_json(ladder_to_json(ladder)) == ladder


@pytest.mark.parametrize(
    ("text", "rung", "said"),
    [
        pytest.param("reject after 4h", Rung(verb=Verb.REJECT, after=4 * HOUR), None, id="reject"),
        pytest.param("rollback after 1h", Rung(verb=Verb.ROLLBACK, after=HOUR), None, id="undo"),
        pytest.param("hold after 1h", Rung(verb=Verb.HOLD, after=HOUR), None, id="hold"),
        pytest.param(
            "  reject   after  60m ",
            Rung(verb=Verb.REJECT, after=HOUR),
            "reject after 1h",
            id="blanks and units do not matter",
        ),
        pytest.param(
            'continue with {"b":"call after 2h","a":{}} after 1h',
            Rung(verb=Verb.CONTINUE, after=HOUR, changes={"a": {}, "b": "call after 2h"}),
            'continue with {"a": {}, "b": "call after 2h"} after 1h',
            id="continue, with a text that looks like a time",
        ),
        pytest.param(
            "continue   with   {} after 1h",
            Rung(verb=Verb.CONTINUE, after=HOUR, changes={}),
            "continue with {} after 1h",
            id="continue without changes",
        ),
        pytest.param(
            r'continue with {"a":"\u00e9"} after 1h',
            Rung(verb=Verb.CONTINUE, after=HOUR, changes={"a": "é"}),
            'continue with {"a": "é"} after 1h',
            id="continue, in any language",
        ),
    ],
)
def test_the_last_rung_is_understood(text: str, rung: Rung, said: str | None) -> None:
    assert parse_ladder(text, risk="medium") == (rung,)
    assert ladder_to_json([rung]) == [said or text]
    assert rung.is_terminal


@pytest.mark.parametrize(
    ("text", "rung"),
    [
        pytest.param("remind after 1h", Rung(verb=Verb.REMIND, after=HOUR), id="remind"),
        pytest.param(
            "widen to group:x, person:bo after 1h",
            Rung(verb=Verb.WIDEN, after=HOUR, to=parse_approvers("group:x,person:bo")),
            id="widen to two",
        ),
        pytest.param(
            "escalate to group:x after 1h",
            Rung(verb=Verb.ESCALATE, after=HOUR, to=parse_approvers("group:x")),
            id="escalate",
        ),
    ],
)
def test_a_rung_before_the_last_is_understood(text: str, rung: Rung) -> None:
    ladder = parse_ladder((text, text, END), risk="high")

    assert ladder == (rung, rung, Rung(verb=Verb.REJECT, after=4 * HOUR))
    assert ladder_to_json(ladder) == [text, text, END]
    assert not rung.is_terminal


def test_twenty_rungs_and_four_thousand_characters_are_possible() -> None:
    filling = "x" * (RUNG_CHARS_MAX - len('continue with {"a": ""} after 4h'))
    longest = f'continue with {{"a": "{filling}"}} after 4h'

    ladder = parse_ladder(["remind after 1m"] * (RUNGS_MAX - 1) + [longest], risk="medium")

    assert len(ladder) == 20
    assert len(ladder[-1].text) == 4_000


def test_a_rung_is_due_from_the_opening() -> None:
    ladder = parse_ladder(["remind after 30m", END], risk="medium")

    assert [due(NOON, rung) for rung in ladder] == [NOON + HOUR / 2, NOON + 4 * HOUR]
    assert expires_at(NOON, ladder) == NOON + 4 * HOUR


def test_what_is_held_never_expires() -> None:
    assert expires_at(NOON, parse_ladder(["hold after 1h"], risk="medium")) is None


def test_the_terminal_rungs_are_those_after_which_nothing_comes() -> None:
    assert {Verb.REJECT, Verb.APPROVE, Verb.ROLLBACK, Verb.CONTINUE, Verb.HOLD} == TERMINAL


@pytest.mark.parametrize(
    "by",
    [
        pytest.param(timedelta(), id="by nothing"),
        pytest.param(-HOUR, id="by less than nothing"),
        pytest.param(timedelta(milliseconds=999), id="by less than a second"),
        pytest.param(timedelta(seconds=1, microseconds=1), id="by a fraction"),
        pytest.param(timedelta(days=365) - 4 * HOUR + timedelta(seconds=1), id="beyond a year"),
    ],
)
def test_a_ladder_is_not_extended(by: timedelta) -> None:
    with pytest.raises(BadRule) as refused:
        extended(parse_ladder([END], risk="medium"), by)

    assert refused.value.code == "bad_duration"


@pytest.mark.parametrize(
    ("by", "fired", "texts"),
    [
        pytest.param(HOUR, 0, ["remind after 2h", "reject after 5h"], id="every rung is later"),
        pytest.param(HOUR, 1, ["remind after 1h", "reject after 5h"], id="but what has happened"),
        pytest.param(
            timedelta(seconds=1), 0, ["remind after 3601s", "reject after 14401s"], id="by a second"
        ),
        pytest.param(
            timedelta(days=365) - 4 * HOUR, 1, ["remind after 1h", "reject after 365d"], id="a year"
        ),
    ],
)
def test_a_ladder_is_extended(by: timedelta, fired: int, texts: list[str]) -> None:
    ladder = parse_ladder(["remind after 1h", END], risk="medium")

    later = extended(ladder, by, fired=fired)

    assert ladder_to_json(later) == texts
    assert fired or extended(ladder, by) == later
    assert ladder_from_json(texts) == later


RUNGS = st.sampled_from(
    [
        "remind",
        "widen to person:a",
        "escalate to group:b",
        "reject",
        "hold",
        "approve",
        'continue with {"a": [1, null]}',
        "rollback",
    ]
)


@given(st.lists(st.tuples(RUNGS, st.integers(1, 4)), max_size=5))
def test_an_accepted_ladder_ends_once_and_last(rungs: list[tuple[str, int]]) -> None:
    texts = [f"{what} after {hours}h" for what, hours in rungs]
    try:
        ladder = parse_ladder(texts, risk="low")
    except BadRule:
        return
    times = [rung.after for rung in ladder]
    assert [rung.is_terminal for rung in ladder] == [False] * (len(ladder) - 1) + [True]
    assert times == sorted(times)
    assert times.count(times[-1]) == 1
    assert ladder_from_json(json.loads(json.dumps(ladder_to_json(ladder)))) == ladder


@given(st.text(max_size=30))
def test_any_text_is_a_ladder_or_refused(text: str) -> None:
    with pytest.raises(BadRule):
        parse_ladder(f"{text} after 0h", risk="low")
