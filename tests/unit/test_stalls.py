"""Who holds a worker up: its own code, or whatever stopped the whole process."""

import pytest

from engine.rules.stalls import Stalls

TICK = 0.1


class Watch:
    """A clock that ticks as a thread would, with a loop that beats beside it or does not."""

    def __init__(self) -> None:
        self.now = self.worked = self.beat_at = 0.0
        self.stalls = Stalls.since(0.0, 0.0)

    def lives(self, seconds: float, *, beats: bool = True) -> None:
        for _ in range(round(seconds / TICK)):
            self._pass(TICK)
            self.beat_at = self.now if beats else self.beat_at
            self._tick()

    def stands_still(self, seconds: float, *, working: float = 0.0) -> None:
        self._pass(seconds, working=working)
        self._tick()

    def _pass(self, seconds: float, *, working: float = 0.0) -> None:
        self.now += seconds
        self.worked += working

    def _tick(self) -> None:
        self.stalls.tick(self.now, worked=self.worked, beat_at=self.beat_at)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_code_that_holds_the_loop_is_to_blame_for_as_long_as_it_did(watch: Watch) -> None:
    watch.lives(5)
    watch.lives(8, beats=False)

    assert watch.stalls.longest == pytest.approx(8)


def test_code_that_lets_not_even_a_thread_go_on_is_to_blame(watch: Watch) -> None:
    watch.lives(5)
    watch.stands_still(8, working=7.9)

    assert watch.stalls.longest == pytest.approx(8)


def test_a_process_that_was_stopped_is_not(watch: Watch) -> None:
    watch.lives(5)
    watch.stands_still(60)
    watch.lives(0.3, beats=False)  # the thread wakes before the loop does
    watch.lives(5)

    assert watch.stalls.longest < 1


def test_a_stop_while_code_held_the_loop_excuses_what_was_before_it_and_no_more(
    watch: Watch,
) -> None:
    watch.lives(3, beats=False)
    watch.stands_still(60)
    watch.lives(4, beats=False)

    assert watch.stalls.longest == pytest.approx(4)


def test_whoever_keeps_beating_holds_nobody_up(watch: Watch) -> None:
    watch.lives(60)

    assert watch.stalls.longest < 1
