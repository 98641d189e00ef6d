"""Durations are read strictly, and said so that they can be read again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.durations import parse_duration, say_duration
from engine.rules.wording import BadRule


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing is no duration"),
        pytest.param("30", id="a number needs a unit"),
        pytest.param("m", id="a unit needs a number"),
        pytest.param("0s", id="zero is not positive"),
        pytest.param("-5m", id="time does not run back"),
        pytest.param("1.5h", id="only whole numbers"),
        pytest.param("05m", id="no leading zero"),
        pytest.param("5 m", id="no space inside"),
        pytest.param(" 5m", id="no space before"),
        pytest.param("5m\n", id="no line end after"),
        pytest.param("5M", id="units are lower case"),
        pytest.param("1w", id="weeks are not a unit"),
        pytest.param("1h30m", id="one unit only"),
        pytest.param("٣m", id="digits are ASCII"),
        pytest.param("366d", id="at most a year"),
        pytest.param("31536001s", id="at most a year, to the second"),
        pytest.param("9" * 5000 + "s", id="a huge number is refused, not computed"),
    ],
)
def test_a_bad_duration_is_refused(text: str) -> None:
    with pytest.raises(BadRule) as refused:
        parse_duration(text)

    assert refused.value.code == "bad_duration"
    assert "Write" in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        pytest.param("1s", timedelta(seconds=1), id="one second is the shortest"),
        pytest.param("90s", timedelta(seconds=90), id="seconds"),
        pytest.param("30m", timedelta(minutes=30), id="minutes"),
        pytest.param("4h", timedelta(hours=4), id="hours"),
        pytest.param("2d", timedelta(days=2), id="days"),
        pytest.param("365d", timedelta(days=365), id="a year is the longest"),
        pytest.param("31536000s", timedelta(days=365), id="a year in seconds"),
    ],
)
def test_a_duration_means_what_it_says(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        pytest.param(timedelta(seconds=90), "90s", id="a minute and a half has no whole minutes"),
        pytest.param(timedelta(minutes=60), "1h", id="the largest exact unit"),
        pytest.param(timedelta(hours=24), "1d", id="a day is a day"),
        pytest.param(timedelta(hours=25), "25h", id="no unit is mixed"),
        pytest.param(timedelta(seconds=1, milliseconds=999), "1s", id="fractions are dropped"),
        pytest.param(timedelta(milliseconds=10), "0s", id="less than a second is none"),
    ],
)
def test_a_duration_is_said_in_one_unit(duration: timedelta, said: str) -> None:
    assert say_duration(duration) == said


@given(st.integers(min_value=1, max_value=365 * 86_400))
def test_what_is_said_is_read_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)

    assert parse_duration(say_duration(duration)) == duration


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except BadRule:
        return
    assert timedelta() < duration <= timedelta(days=365)
