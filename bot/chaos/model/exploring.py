"""Visits every state of the small model, breadth first, and judges each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.chaos.model import people, workers
from bot.chaos.model.asking import shape
from bot.chaos.model.breaking import Broken
from bot.chaos.model.states import Bounds, Fact, State, first, same
from bot.chaos.simulation.laws import LAWS, Laws


@dataclass(slots=True)
class Explored:
    """What was found: how many states and moves, how deep, where it ended, and what is broken."""

    states: int = 0
    moves: int = 0
    depth: int = 0
    is_whole: bool = False  # every state that can be reached was
    endings: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    broken: str | None = None
    way: list[str] = field(default_factory=list[str])


def explore(bounds: Bounds, laws: Laws = LAWS, *, states_max: int | None = None) -> Explored:
    """Go to fix-point, or to `states_max` states, or to the first state that breaks something."""
    found, start = Explored(), first(bounds)
    came_from: dict[State, State | None] = {start: None}
    level = [start]
    while level and (states_max is None or len(came_from) < states_max):
        following: list[State] = []
        for state in level:
            try:
                for said, next_one in _judged(state, bounds, laws):
                    after = same(next_one)
                    found.moves += 1
                    found.kinds[_kind(said)] += 1
                    if after not in came_from:
                        came_from[after] = state
                        following.append(after)
            except Broken as finding:
                found.broken = str(finding)
                found.way = _way(came_from, state, bounds, laws)
                level = following = []
                break
            if shape(state.run).is_terminal:
                found.endings[shape(state.run).status] += 1
        level = following
        found.depth += 1
    found.states = len(came_from)
    found.is_whole = not level and found.broken is None
    return found


def next_moves(state: State, bounds: Bounds, laws: Laws) -> Iterator[tuple[str, State]]:
    """Every move there is, with the state it leads to."""
    yield from workers.moves(state, laws)
    yield from people.moves(state, bounds, laws)


def _judged(state: State, bounds: Bounds, laws: Laws) -> list[tuple[str, State]]:
    _judge(state, bounds)
    found = list(next_moves(state, bounds, laws))
    if not found and not shape(state.run).is_terminal:
        raise Broken("I19: nothing can happen any more, and it has not ended")
    was_over = shape(state.run).is_terminal
    for said, after in found:
        if was_over and after.run != state.run:
            raise Broken(f"I5: it had ended, and then {said}")
        if state.asked not in {"", "open", "changes_requested"} and after.asked != state.asked:
            raise Broken(f"I5: it was {state.asked}, and then {said}")
    return found


def _judge(state: State, bounds: Bounds) -> None:
    yes = sum(vote == "approve" for vote in state.votes)
    no = sum(vote == "reject" for vote in state.votes)
    if any(vote.startswith("!") for vote in state.votes):
        raise Broken("I7: a vote for an earlier version counts")
    if any(told and not vote for told, vote in zip(state.told, state.votes, strict=True)):
        raise Broken("I2: somebody was told of a vote that is not there")
    if state.asked == "approved" and (yes < bounds.quorum or no):
        raise Broken("I1: it is approved without a quorum")
    if state.asked == "open" and (yes >= bounds.quorum or no):
        raise Broken("I1: a quorum is there, and it is open")
    if state.facts & Fact.B_BEGUN and not (state.facts & Fact.USED and state.asked == "approved"):
        raise Broken("I1: it goes on without consent")
    if any(state.calls[2:]) and not state.facts & Fact.B_BEGUN:
        raise Broken("I1: it was done without having begun")
    if state.calls[2] > 1:
        raise Broken("I3: whoever held it did it twice")
    if shape(state.run).is_terminal and state.asked == "open":
        raise Broken("I5: it has ended and still asks")
    if shape(state.run).is_terminal and state.holder >= 0:
        raise Broken("I4: it has ended and is held")


def _kind(said: str) -> str:
    """What was done, whoever did it."""
    return " ".join(word for word in said.split() if not word.isdigit())


def _way(came_from: dict[State, State | None], to: State, bounds: Bounds, laws: Laws) -> list[str]:
    way: list[str] = []
    state, before = to, came_from[to]
    while before is not None:
        way.append(
            next(said for said, after in next_moves(before, bounds, laws) if same(after) == state)
        )
        state, before = before, came_from[before]
    return way[::-1]


def stuck(bounds: Bounds) -> int:
    """How many states there are from which no end can be reached any more."""
    start = first(bounds)
    before: dict[State, list[State]] = {start: []}
    level = [start]
    while level:
        state = level.pop()
        for _said, next_one in next_moves(state, bounds, LAWS):
            after = same(next_one)
            if after not in before:
                before[after] = []
                level.append(after)
            before[after].append(state)
    reaching = {state for state in before if shape(state.run).is_terminal}
    level = list(reaching)
    while level:
        for earlier in before[level.pop()]:
            if earlier not in reaching:
                reaching.add(earlier)
                level.append(earlier)
    return len(before) - len(reaching)
