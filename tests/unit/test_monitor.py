"""Rules that watch a run: what each finds in figures, and what it does not find yet."""

from datetime import timedelta

import pytest

from engine.rules.monitor import (
    Calls,
    Errors,
    Limit,
    Monitor,
    Overdue,
    Own,
    Reading,
    Timeline,
    Watch,
    judge,
)
from tests.clock import NOON

MINUTE = timedelta(minutes=1)


def reading(*, calls: int = 0, errors: int = 0, steps: int = 0, busy: int = 0) -> Reading:
    """A run after `busy` minutes, one call each second until now."""
    moments = [NOON - timedelta(seconds=second) for second in range(calls)]
    return Reading(
        workflow="refund",
        began_at=NOON - timedelta(hours=2),
        now=NOON,
        busy=busy * MINUTE,
        calls=moments,
        errors=moments[:errors],
        steps=steps,
        asked=[NOON - timedelta(hours=1), NOON - timedelta(hours=4)],
        spent={"day": 79, "run": 95},
        facts={"steps": steps},
    )


FIFTY = Calls(more_than=50, within=MINUTE)
TEN_STEPS = Timeline(expected=timedelta(minutes=10), steps=10)


@pytest.mark.parametrize(
    ("watch", "seen", "says"),
    [
        pytest.param(FIFTY, reading(calls=50), None, id="exactly as many calls as allowed"),
        pytest.param(FIFTY, reading(calls=51), "51 calls within 1m", id="one more"),
        pytest.param(
            Calls(more_than=30, within=30 * timedelta(seconds=1)),
            reading(calls=90),
            None,
            id="older calls do not count",
        ),
        pytest.param(
            Errors(more_than=2, within=MINUTE), reading(calls=9, errors=2), None, id="two errors"
        ),
        pytest.param(
            Errors(more_than=2, within=MINUTE),
            reading(calls=9, errors=3),
            "3 errors",
            id="a third error",
        ),
        pytest.param(TEN_STEPS, reading(steps=4, busy=5), None, id="a fifth behind is allowed"),
        pytest.param(TEN_STEPS, reading(steps=3, busy=5), "stuck", id="further behind is stuck"),
        pytest.param(TEN_STEPS, reading(steps=6, busy=5), None, id="a fifth ahead is allowed"),
        pytest.param(TEN_STEPS, reading(steps=7, busy=5), "too fast", id="further ahead"),
        pytest.param(TEN_STEPS, reading(steps=0, busy=1), None, id="nobody can tell at first"),
        pytest.param(TEN_STEPS, reading(steps=9, busy=30), "stuck", id="long past its time"),
        pytest.param(Limit(at=96), reading(), None, id="below the limit"),
        pytest.param(Limit(at=95), reading(), "run is used to 95 %", id="at the limit"),
        pytest.param(Overdue(after=timedelta(hours=4)), reading(), None, id="open for so long"),
        pytest.param(Overdue(after=timedelta(hours=3)), reading(), "open for 4h", id="for longer"),
        pytest.param(
            Own(text="steps > 3", holds=lambda facts: facts["steps"] == 4),
            reading(steps=4),
            "steps > 3 holds",
            id="a condition of one's own",
        ),
    ],
)
def test_a_rule_finds(watch: Watch, seen: Reading, says: str | None) -> None:
    found = judge(watch, seen)

    assert (found is None) == (says is None)
    assert found is None or str(says) in found.says


def test_a_window_is_counted_from_the_beginning_of_the_run() -> None:
    monitor = Monitor(name="m", watch=FIFTY, window=timedelta(hours=1))

    assert monitor.window_of(reading()) == 2
