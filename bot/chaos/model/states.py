"""What a state of the small model is made of, and how much of everything may happen in it."""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from engine.rules.states import RunShape, RunStatus

NOBODY: Final = -1
NOTHING: Final = (0, "")  # on its way


class Phase:
    """What a worker does next. Plain numbers: a million states are hashed faster."""

    IDLE: Final = 0
    BEGIN_A: Final = 1  # a step with an undo
    CALL_A: Final = 2
    FINISH_A: Final = 3
    ASK: Final = 4
    BEGIN_B: Final = 5  # an irreversible step behind the approval
    CALL_B: Final = 6
    FINISH_B: Final = 7
    PROBE_B: Final = 8
    COMPLETE: Final = 9
    GO_BACK: Final = 10
    BEGIN_UNDO: Final = 11
    CALL_UNDO: Final = 12
    FINISH_UNDO: Final = 13
    END_UNDO: Final = 14


class Fact:
    """What the journal says happened."""

    A_BEGUN: Final = 1
    A_DONE: Final = 2
    UNDO_BEGUN: Final = 4
    UNDO_DONE: Final = 8
    USED: Final = 16
    B_BEGUN: Final = 32
    B_DONE: Final = 64
    GOING_BACK: Final = 128
    ORDERED: Final = 256  # and an operator wants it


class Left(NamedTuple):
    """How often what may happen may still happen; presses for each reviewer."""

    crashes: int
    edits: int
    ends: int  # an operator kills it, or has it rolled back
    pauses: int
    switches: int
    losses: int  # answers to votes that are lost
    extends: int
    presses: tuple[int, ...]


class State(NamedTuple):
    """All there is: rows, workers, what is on its way, and what happened outside."""

    run: int  # its shape, by number
    is_ready: bool
    holder: int
    is_over: bool  # the lease ran out
    tries: int
    asked: str  # the status of its approval; empty before there is one
    version: int
    votes: tuple[str, ...]  # "", "approve"…; behind a "!" where it was for an earlier version
    wires: tuple[tuple[int, str], ...]
    told: tuple[str, ...]
    is_late: bool
    is_armed: bool
    facts: int
    calls: tuple[int, int, int, int]  # of a, its undo, and b; of b by whoever held the run no more
    workers: tuple[tuple[int, bool], ...]  # what each does next, and whether it lost its lease
    is_engaged: bool
    left: Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The size of the world."""

    workers: int = 2
    reviewers: int = 3
    quorum: int = 2
    choices: tuple[str, ...] = ("approve", "reject")
    presses: int = 1
    crashes: int = 1
    edits: int = 1
    ends: int = 1
    pauses: int = 0
    switches: int = 0
    losses: int = 0
    extends: int = 0


# Each to fix-point: the first two in a few seconds, the third in minutes.
ENDED: Final = Bounds(reviewers=2, crashes=0, edits=0)
EDITED: Final = Bounds(reviewers=1, quorum=1, ends=0)
WHOLE: Final = Bounds(losses=1)
SIZES: Final = {"ended": ENDED, "edited": EDITED, "whole": WHOLE}

_SHAPES: Final[list[RunShape]] = []


def number_of(shape: RunShape) -> int:
    """The number that stands for a shape."""
    if shape not in _SHAPES:
        _SHAPES.append(shape)
    return _SHAPES.index(shape)


@cache
def shape_of(number: int) -> RunShape:
    """The shape that a number stands for."""
    return _SHAPES[number]


def first(bounds: Bounds) -> State:
    """A run that was just started."""
    none = ("",) * bounds.reviewers
    return State(
        run=number_of(RunShape(status=RunStatus.CREATED)),
        is_ready=True,
        holder=NOBODY,
        is_over=False,
        tries=0,
        asked="",
        version=0,
        votes=none,
        wires=(NOTHING,) * bounds.reviewers,
        told=none,
        is_late=False,
        is_armed=False,
        facts=0,
        calls=(0, 0, 0, 0),
        workers=((Phase.IDLE, False),) * bounds.workers,
        is_engaged=False,
        left=Left(
            crashes=bounds.crashes,
            edits=bounds.edits,
            ends=bounds.ends,
            pauses=bounds.pauses,
            switches=bounds.switches,
            losses=bounds.losses,
            extends=bounds.extends,
            presses=(bounds.presses,) * bounds.reviewers,
        ),
    )


def same(state: State) -> State:
    """The one of all states that differ in nothing but which reviewer or worker is which.

    Of what has ended nothing is kept that could no longer change anything: presses and what is on
    its way.
    """
    is_over = shape_of(state.run).is_terminal
    left, count = state.left, len(state.votes)
    presses = left.presses if state.asked in {"", "open"} and not is_over else (0,) * count
    wires = (NOTHING,) * count if is_over else state.wires
    people = sorted(zip(state.votes, wires, state.told, presses, strict=True))
    workers = sorted((*each, at == state.holder) for at, each in enumerate(state.workers))
    return state._replace(
        votes=tuple(each[0] for each in people),
        wires=tuple(each[1] for each in people),
        told=tuple(each[2] for each in people),
        left=left._replace(presses=tuple(each[3] for each in people)),
        workers=tuple((phase, is_stale) for phase, is_stale, _holds in workers),
        holder=next((at for at, each in enumerate(workers) if each[2]), NOBODY),
    )
