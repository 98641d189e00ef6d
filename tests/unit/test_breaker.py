"""A target that keeps failing rests; one call at a time finds out whether it is well again."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.rules.breaker import (
    FAILURES_MAX,
    FIRST_REST,
    LONGEST_REST,
    TRIAL_WITHIN,
    Breaker,
    BreakerState,
    admit,
    ended,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def after(story: str) -> tuple[Breaker, datetime]:
    """What is known after `story`: f fails, w is well, a asks, r is a rest of half a minute, h an hour."""
    breaker, now = Breaker(), NOW
    for each in story:
        match each:
            case "f" | "w":
                breaker = ended(breaker, now, is_well=each == "w")
            case "a":
                breaker = admit(breaker, now).breaker
            case _:
                now += FIRST_REST if each == "r" else timedelta(hours=1)
    return breaker, now


@pytest.mark.parametrize(
    ("story", "state", "is_admitted"),
    [
        pytest.param("", "closed", True, id="of whom nothing is known is called"),
        pytest.param("ffff", "closed", True, id="four failures are none too many"),
        pytest.param("fffff", "open", False, id="five in a row are"),
        pytest.param("ffffwf", "closed", True, id="an answer begins the row again"),
        pytest.param("ffffhf", "closed", True, id="what failed an hour ago is forgotten"),
        pytest.param("fffffr", "half_open", True, id="after a rest one may try"),
        pytest.param("fffffra", "half_open", False, id="and nobody else meanwhile"),
        pytest.param("fffffrah", "half_open", True, id="unless it was never heard of"),
        pytest.param("fffffraw", "closed", True, id="one that is well opens the way for all"),
        pytest.param("fffffraf", "open", False, id="one that fails lets it rest again"),
        pytest.param("fffffrafr", "open", False, id="for longer than before"),
        pytest.param("fffffrafrr", "half_open", True, id="twice as long"),
        pytest.param("ffffff", "open", False, id="a late failure says nothing new"),
        pytest.param("fffffw", "closed", True, id="a late answer says that it is well"),
    ],
)
def test_breaker(story: str, state: str, is_admitted: bool) -> None:
    breaker, now = after(story)

    assert breaker.state(now) == state
    assert (admit(breaker, now).again_at is None) is is_admitted


def test_whoever_is_not_let_through_knows_when_to_ask_again() -> None:
    opened, now = after("f" * FAILURES_MAX)
    tried, later = after("f" * FAILURES_MAX + "ra")

    assert admit(opened, now).again_at == now + FIRST_REST
    again_at = admit(tried, later).again_at
    assert again_at is not None
    assert later < again_at <= later + TRIAL_WITHIN


def test_it_never_rests_longer_than_five_minutes() -> None:
    breaker, now = after("f" * FAILURES_MAX)

    for _time in range(20):
        now += LONGEST_REST
        breaker = ended(admit(breaker, now).breaker, now, is_well=False)

    assert breaker.open_until == now + LONGEST_REST
    assert breaker.state(now + LONGEST_REST - SECOND) is BreakerState.OPEN
