"""Budgets: exact money, exactly the limit, and nothing spent twice or past it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.budget import (
    Account,
    Period,
    Window,
    crossed,
    forecast,
    parse_scope,
    percent,
    window,
)
from engine.rules.costs import (
    parse_amounts,
    parse_cost,
    say_all,
    to_json,
    total,
)
from engine.rules.money import parse_amount, parse_money, say_amount
from engine.rules.wording import BadRule


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(0.1, "bad_money", id="a float is not exact"),
        pytest.param("-5.00 USD", "bad_money", id="less than nothing"),
        pytest.param("5.00", "bad_money", id="of no currency"),
        pytest.param("5.00 usd", "bad_money", id="currencies are capitals"),
        pytest.param("0.0000001 USD", "bad_money", id="finer than a millionth"),
        pytest.param("1e3 USD", "bad_money", id="no exponents"),
        pytest.param("\u0665.00 USD", "bad_money", id="digits that are not ours"),
        pytest.param("NaN USD", "bad_money", id="not a number"),
        pytest.param("1000000000000.00 USD", "bad_money", id="more than there is"),
        pytest.param(None, "bad_money", id="nothing"),
    ],
)
def test_money_that_is_not_exact_is_refused(raw: object, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_money(raw)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param({"usd": 0.1}, "bad_money", id="a float"),
        pytest.param({"usd": 1}, "bad_money", id="a number that is no text"),
        pytest.param({"usd": "1.00", "eur": "1.00"}, "mixed_currencies", id="two currencies"),
        pytest.param({"usd": "1.00", "USD": "1.00"}, "bad_cost", id="the same unit twice"),
        pytest.param({"tokens": -1}, "bad_cost", id="less than no tokens"),
        pytest.param({"tokens": 1.5}, "bad_cost", id="half a token"),
        pytest.param({"tokens": True}, "bad_cost", id="true is no number"),
        pytest.param({"bananas": 3}, "bad_cost", id="an unknown unit"),
        pytest.param(7, "bad_cost", id="a bare number"),
    ],
)
def test_amounts_that_cannot_be_added_up_are_refused(raw: object, code: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_amounts(raw)

    assert refused.value.code == code


def test_money_is_whole_millionths() -> None:
    assert parse_money("620.00 USD").micros == 620_000_000
    assert parse_amounts({"usd": "1000.00", "tokens": 2_000_000}) == {
        "USD": 1_000_000_000,
        "tokens": 2_000_000,
    }
    cost = parse_cost({"usd": "0.10", "tokens": 50, "source": "acme/large", "agent": "writer"})
    assert (cost.source, cost.agent) == ("acme/large", "writer")
    assert say_all(cost.amounts) == "0.10 USD and 50 tokens"


@given(st.integers(0, 10**15 - 1))
def test_an_amount_is_read_as_it_was_said(micros: int) -> None:
    assert parse_amount(say_amount(micros)) == micros


@given(
    st.dictionaries(
        st.sampled_from(["USD", "tokens", "calls", "steps", "seconds"]), st.integers(0, 10**14)
    )
)
def test_amounts_are_read_as_they_were_written(amounts: dict[str, int]) -> None:
    assert parse_amounts(to_json(amounts)) == amounts


@given(st.lists(st.dictionaries(st.sampled_from(["USD", "tokens"]), st.integers(0, 10**9))))
def test_nothing_is_lost_in_a_total(parts: list[dict[str, int]]) -> None:
    summed = total(parts)

    assert sum(summed.values()) == sum(sum(part.values()) for part in parts)


@pytest.mark.parametrize(
    ("limit", "asked", "is_taken"),
    [
        pytest.param(50, 50, True, id="exactly the limit"),
        pytest.param(50, 51, False, id="one more"),
        pytest.param(0, 0, True, id="nothing of nothing"),
        pytest.param(0, 1, False, id="something of nothing"),
    ],
)
def test_exactly_the_limit_fits(limit: int, asked: int, is_taken: bool) -> None:
    assert Account(limit=limit).takes(asked) is is_taken


STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=60)


@given(st.integers(0, 200), STEPS)
def test_honest_steps_never_come_past_the_limit(
    limit: int, steps: list[tuple[int, int, bool]]
) -> None:
    account, under_way = Account(limit=limit), list[tuple[int, int]]()
    for declared, real, ends_one in steps:
        if account.takes(declared):
            account = account.reserve(declared)
            under_way.append((declared, min(real, declared)))
        else:
            with pytest.raises(ValueError, match="does not fit"):
                account.reserve(declared)
        assert account.reserved + account.spent <= limit
        if ends_one and under_way:
            reserved, spent = under_way.pop()
            account = account.settle(reserved, spent=spent)
        assert account.reserved + account.spent <= limit
    assert account.reserved == sum(reserved for reserved, _ in under_way)


@pytest.mark.parametrize(
    ("warned", "spent", "expected"),
    [
        pytest.param(0, 49, [], id="below the first"),
        pytest.param(0, 50, [50], id="the first"),
        pytest.param(50, 74, [], id="each once"),
        pytest.param(50, 92, [75, 90], id="two at once"),
        pytest.param(90, 130, [100], id="past the limit"),
        pytest.param(100, 150, [], id="never again"),
    ],
)
def test_each_mark_is_told_once(warned: int, spent: int, expected: list[int]) -> None:
    assert list(crossed(warned, spent, 100)) == expected
    assert percent(0, 0) == 100
    assert list(crossed(0, 0, 0)) == []


NOON = datetime(2026, 2, 28, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "key", "lasts"),
    [
        (Period.HOUR, "2026-02-28T12", timedelta(hours=1)),
        (Period.DAY, "2026-02-28", timedelta(days=1)),
        (Period.WEEK, "week 2026-02-23", timedelta(days=7)),
        (Period.MONTH, "2026-02", timedelta(days=28)),
        (Period.RUN, "run_1", None),
        (Period.TOTAL, "total", None),
    ],
)
def test_a_moment_falls_into_one_period(period: Period, key: str, lasts: timedelta | None) -> None:
    found = window(period, NOON, run="run_1")

    assert found.key == key
    if found.starts_at is not None and found.ends_at is not None:
        assert found.ends_at - found.starts_at == lasts
        assert found.starts_at <= NOON < found.ends_at


def test_what_will_be_spent_is_foretold_from_what_was() -> None:
    day = window(Period.DAY, NOON, run="run_1")

    assert forecast(25, day, now=NOON) == 48
    assert forecast(25, Window(key="total"), now=NOON) is None
    assert forecast(25, day, now=NOON + timedelta(days=3)) == 25


@pytest.mark.parametrize("raw", ["", "everything", "workflow:", "run", "workflow:a b", None, 3])
def test_a_scope_that_means_nothing_is_refused(raw: object) -> None:
    with pytest.raises(BadRule, match="no scope"):
        parse_scope(raw)
