"""Retries are read strictly; delays grow, are bounded, and end."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.retry import (
    DELIVERY_SCHEDULE,
    Growth,
    Retry,
    delivery_delay,
    next_delay,
    parse_retries,
)
from engine.rules.wording import BadRule

SECOND = timedelta(seconds=1)
TABLE = Retry(attempts=7, first_delay=2 * SECOND, factor=3.0, longest_delay=60 * SECOND)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(-1, "0 to 99", id="fewer than none"),
        pytest.param(100, "0 to 99", id="more than 99"),
        pytest.param(True, "True is not", id="true is not a number"),
        pytest.param(2.0, "not a number of retries", id="a fraction"),
        pytest.param("2", "not a number of retries", id="a text"),
        pytest.param(None, "not a number of retries", id="nothing"),
        pytest.param({"tries": 3}, "'tries' is unknown", id="an unknown key"),
        pytest.param({"attempts": 0}, "attempts is 0", id="no attempt at all"),
        pytest.param({"attempts": 101}, "1 to 100", id="more than 100 attempts"),
        pytest.param({"attempts": True}, "attempts is True", id="true attempts"),
        pytest.param({"attempts": "3"}, "attempts is '3'", id="attempts in a text"),
        pytest.param({"factor": 0.9}, "factor is 0.9", id="delays never shrink"),
        pytest.param({"factor": 10.1}, "from 1 to 10", id="delays do not explode"),
        pytest.param({"factor": math.nan}, "factor is nan", id="a factor that is no number"),
        pytest.param({"factor": True}, "factor is True", id="a true factor"),
        pytest.param({"factor": "2"}, "factor is '2'", id="a factor in a text"),
        pytest.param({"growth": "quick"}, "growth is 'quick'", id="an unknown growth"),
        pytest.param({"growth": "linear", "factor": 2}, "A factor is of", id="no factor"),
        pytest.param({"only": []}, "nothing is tried again", id="only nothing"),
        pytest.param({"only": [7]}, "only is", id="a class that is a number"),
        pytest.param({"never": ["Time out"]}, "never is", id="a name with a space"),
        pytest.param({"no_effect": [None]}, "no_effect is", id="no class at all"),
        pytest.param({"never": [f"E{n}" for n in range(51)]}, "never is", id="too many classes"),
        pytest.param({"first_delay": 1}, "1 is not a delay", id="a delay without a unit"),
        pytest.param({"first_delay": timedelta()}, "is not a delay", id="no delay"),
        pytest.param({"longest_delay": timedelta(days=366)}, "is not a delay", id="over a year"),
        pytest.param({"first_delay": "10m"}, "shorter than first_delay", id="longest is shorter"),
    ],
)
def test_bad_retries_are_refused(raw: object, says: str) -> None:
    with pytest.raises(BadRule, match=says) as refused:
        parse_retries(raw)

    assert refused.value.code == "bad_retries"


def test_a_delay_that_is_no_duration_is_refused() -> None:
    with pytest.raises(BadRule) as refused:
        parse_retries({"first_delay": "soon"})

    assert refused.value.code == "bad_duration"


@pytest.mark.parametrize(
    ("raw", "retry"),
    [
        pytest.param(0, Retry(attempts=1), id="no retry is one attempt"),
        pytest.param(2, Retry(attempts=3), id="two retries are three attempts"),
        pytest.param(99, Retry(attempts=100), id="at most a hundred attempts"),
        pytest.param({}, Retry(), id="an empty table is the default"),
        pytest.param({"attempts": 1}, Retry(attempts=1), id="attempts count in all"),
        pytest.param({"attempts": 100}, Retry(attempts=100), id="a hundred attempts"),
        pytest.param({"factor": 1}, Retry(factor=1.0), id="every delay alike"),
        pytest.param({"factor": 10}, Retry(factor=10.0), id="ten times as long"),
        pytest.param({"only": "OSError"}, Retry(only=frozenset({"OSError"})), id="one class"),
        pytest.param(
            {"never": [KeyError, "a.B"], "no_effect": ["C"]},
            Retry(never=frozenset({"KeyError", "a.B"}), no_effect=frozenset({"C"})),
            id="classes and names of them",
        ),
        pytest.param({"growth": "linear"}, Retry(growth=Growth.LINEAR), id="linear growth"),
        pytest.param({"first_delay": "5m"}, Retry(first_delay=300 * SECOND), id="first is longest"),
        pytest.param(
            {"longest_delay": timedelta(days=365)},
            Retry(longest_delay=timedelta(days=365)),
            id="year",
        ),
        pytest.param(
            {"attempts": 7, "first_delay": "2s", "factor": 3, "longest_delay": "1m"},
            TABLE,
            id="all",
        ),
    ],
)
def test_retries_are_understood(raw: object, retry: Retry) -> None:
    assert parse_retries(raw) == retry


def test_the_default_is_three_attempts_a_second_doubling_to_five_minutes() -> None:
    assert Retry() == Retry(
        attempts=3, first_delay=SECOND, factor=2.0, longest_delay=timedelta(minutes=5)
    )


@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [
        pytest.param(1, 0.0, 2, id="first the first delay"),
        pytest.param(2, 0.0, 6, id="then three times as long"),  # 2 * 3
        pytest.param(4, 0.0, 54, id="and three times again"),  # 2 * 3**3
        pytest.param(5, 0.0, 60, id="but never longer than the longest"),  # 2 * 3**4 = 162
        pytest.param(5, 0.5, 45, id="jitter takes up to half away"),  # 60 - 60 * 0.5 / 2
        pytest.param(6, 0.0, 60, id="the last but one is tried again"),
    ],
)
def test_the_next_delay(attempt: int, jitter: float, seconds: float) -> None:
    assert next_delay(TABLE, attempt, jitter=jitter) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("growth", "seconds"),
    [
        (Growth.EXPONENTIAL, [2, 4, 8, 16, 20, 20]),
        (Growth.LINEAR, [2, 4, 6, 8, 10, 12]),
        (Growth.FIBONACCI, [2, 2, 4, 6, 10, 16]),
    ],
)
def test_waits_grow_as_they_are_said_to(growth: Growth, seconds: list[int]) -> None:
    retry = Retry(attempts=9, first_delay=2 * SECOND, longest_delay=20 * SECOND, growth=growth)

    found = [next_delay(retry, attempt, jitter=0.0) for attempt in range(1, 7)]

    assert found == [each * SECOND for each in seconds]


@pytest.mark.parametrize(
    ("lists", "did_nothing", "again"),
    [
        pytest.param({}, False, True, id="every class where none is named"),
        pytest.param({"only": ["OSError"]}, False, True, id="a class above it"),
        pytest.param({"only": ["KeyError"]}, False, False, id="another class"),
        pytest.param({"only": ["KeyError"]}, True, True, id="what did nothing all the same"),
        pytest.param({"never": ["TimeoutError"]}, False, False, id="never is never"),
        pytest.param({"never": ["OSError"]}, True, False, id="even where it did nothing"),
        pytest.param({"only": ["OSError"], "never": ["TimeoutError"]}, False, False, id="both"),
    ],
)
def test_errors_are_tried_again_by_their_class(
    lists: dict[str, object], did_nothing: bool, again: bool
) -> None:
    retry = parse_retries(lists)

    assert retry.is_for({"TimeoutError", "OSError"}, did_nothing=did_nothing) is again


@pytest.mark.parametrize("attempt", [7, 8, 1_000])
def test_after_the_last_attempt_it_is_given_up(attempt: int) -> None:
    assert next_delay(TABLE, attempt, jitter=0.0) is None


@given(
    st.builds(
        Retry,
        attempts=st.integers(1, 100),
        first_delay=st.timedeltas(SECOND, timedelta(days=365)),
        factor=st.floats(1, 10),
        longest_delay=st.just(timedelta(days=365)),
    ),
    st.integers(1, 100),
    st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_at_least_half_and_at_most_the_longest(
    retry: Retry, attempt: int, jitter: float
) -> None:
    delay = next_delay(retry, attempt, jitter=jitter)

    assert (delay is None) == (attempt >= retry.attempts)
    if delay is not None:
        assert retry.first_delay / 2 <= delay <= retry.longest_delay


def test_a_webhook_keeps_its_schedule_for_three_days() -> None:
    waits = [delivery_delay("webhook", attempt, 0.0) for attempt in range(11)]

    hours = [0, 5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]
    assert waits == [*(timedelta(hours=count) for count in hours), None]
    assert sum(DELIVERY_SCHEDULE, timedelta()) > timedelta(days=3)
    assert delivery_delay("webhook", 1, 0.5) == timedelta(seconds=5.25)
    assert delivery_delay("webhook", 12, 0.0) is None


@pytest.mark.parametrize("channel_kind", ["slack", "email"])
def test_a_message_is_tried_for_six_hours(channel_kind: str) -> None:
    waits = [delivery_delay(channel_kind, attempt, 0.0) for attempt in range(82)]

    real = [wait for wait in waits if wait is not None]
    assert [wait.total_seconds() for wait in real[:11]] == [
        0,
        1,
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        300,
    ]
    assert len(real) == 82
    assert timedelta(hours=6) < sum(real, timedelta()) < timedelta(hours=6, minutes=10)
    assert delivery_delay(channel_kind, 82, 0.0) is None
    assert delivery_delay(channel_kind, 0, 0.9) == timedelta()
    assert delivery_delay(channel_kind, 1, 0.5) == timedelta(seconds=0.75)
