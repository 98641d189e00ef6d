"""The rules in a simulated world: no seed breaks an invariant, and each law that is taken away is missed."""

from collections import Counter

import pytest

from bot.chaos.simulation.judging import Broken
from bot.chaos.simulation.laws import NAMES, Laws, without
from bot.chaos.simulation.memory import Fate
from bot.chaos.simulation.playing import Play

SEEDS = 250
PATIENCE = 1_000  # seeds within which a missing law is noticed; most take fewer than fifty
FIRST = {
    "leaves_the_paused": 1_000
}  # the seed to begin with, where it is missed once in a thousand
# What must have happened in so many seeds, or they prove nothing.
SEEN = {
    "approval.consumed", "approval.edited", "approval.extended", "compensation.finished",
    "compensation.skipped", "compensation.stuck", "effect.settled", "effect.unknown", "run.cancelled",
    "run.completed", "run.freed", "run.halted", "run.killed", "run.paused", "run.quarantined",
    "run.resumed", "run.rolled_back", "rung.fired", "sleep.ended", "step.retried", "vote.recorded",
}  # fmt: skip


def play_many(laws: Laws, first: int = 0) -> None:
    for seed in range(first, first + PATIENCE):
        Play(str(seed), laws).play()


def test_no_seed_breaks_an_invariant_and_everything_has_happened() -> None:
    seen, faults = Counter[str](), Counter[str]()

    for seed in range(SEEDS):
        play = Play(str(seed))
        play.play()
        seen += play.seen
        faults += play.faults

    assert set(seen) >= SEEN
    assert min(faults[f"commit {fate}"] for fate in Fate) > SEEDS
    assert min(faults["crash"], faults["call unheard"], faults["call nothing"]) > SEEDS // 10


def test_a_seed_gives_the_same_lines_again() -> None:
    first, again = Play("17", keeps_trace=True), Play("17", keeps_trace=True)

    first.play()
    again.play()

    assert first.trace == again.trace
    assert len(first.trace) > 100


@pytest.mark.parametrize("seed", ["3003517", "3006249"])
def test_a_seed_that_was_broken_once_is_so_no_more(seed: str) -> None:
    Play(seed).play()


@pytest.mark.parametrize("law", NAMES)
def test_without_a_law_something_breaks(law: str) -> None:
    with pytest.raises(Broken, match=r"^I\d+: "):
        play_many(without(law), FIRST.get(law, 0))
