"""What people, time and operators do in the small model."""

from collections.abc import Iterator
from typing import TypeVar

from bot.chaos.model.asking import applied, asked_again, counted, shape
from bot.chaos.model.breaking import Broken
from bot.chaos.model.states import NOBODY, NOTHING, Bounds, Fact, State
from bot.chaos.simulation.laws import Laws
from engine.rules.states import RunStatus, WaitingReason

T = TypeVar("T")
Move = tuple[str, State]


def moves(state: State, bounds: Bounds, laws: Laws) -> Iterator[Move]:
    """Every next state that is not a worker's doing."""
    yield from _presses(state, bounds)
    yield from _votes(state, bounds, laws)
    yield from _time(state, laws)
    yield from _changes(state)
    yield from _operators(state, laws)


def _presses(state: State, bounds: Bounds) -> Iterator[Move]:
    if state.asked != "open":
        return  # what is on its way still arrives
    for who, waits in enumerate(state.wires):
        left = state.left.presses[who]
        if waits == NOTHING and left:
            for choice in bounds.choices:
                wires = _put(state.wires, who, (state.version, choice))
                presses = _put(state.left.presses, who, left - 1)
                after = state._replace(wires=wires, left=state.left._replace(presses=presses))
                yield f"reviewer {who} presses {choice}", after


def _votes(state: State, bounds: Bounds, laws: Laws) -> Iterator[Move]:
    for who, waits in enumerate(state.wires):
        if waits == NOTHING:
            continue
        version, choice = waits
        gone = _put(state.wires, who, NOTHING)
        voted = _cast(state, who, version, choice, bounds, laws)
        if voted is None:
            yield f"reviewer {who} is refused", state._replace(wires=gone)
            continue
        told = _put(voted.told, who, choice)
        yield f"reviewer {who} hears: recorded", voted._replace(wires=gone, told=told)
        if state.left.losses:
            left = voted.left._replace(losses=voted.left.losses - 1)
            yield f"reviewer {who} hears nothing", voted._replace(left=left)  # and it comes again


def _cast(
    state: State, who: int, version: int, choice: str, bounds: Bounds, laws: Laws
) -> State | None:
    is_old = version != state.version
    if is_old and laws.counts_this_version:
        return None
    if state.votes[who] == choice and state.asked in {"open", "approved", "rejected"}:
        return state if state.asked != "open" or not state.is_late else None
    if state.asked != "open" or (state.is_late and laws.keeps_deadlines) or state.is_engaged:
        return None
    if state.is_late:
        raise Broken("I8: a vote is counted after the deadline")
    votes = _put(state.votes, who, f"!{choice}" if is_old else choice)
    after = state._replace(votes=votes)
    outcome = counted(votes, bounds.quorum)
    return ended(after, outcome, laws) if outcome else after


def ended(state: State, outcome: str, laws: Laws) -> State:
    """The approval ends as `outcome`, and its run is woken."""
    asked = asked_again(state.asked, "approval.decided", outcome)
    run = applied(state.run, "approval.decided")
    if asked is None or run is None:
        raise Broken(f"I5: an approval that is {state.asked} cannot become {outcome}")
    is_ready = shape(run).goes_on and laws.wakes_who_waits
    return state._replace(asked=asked, run=run, is_ready=is_ready, is_armed=False)


def _time(state: State, laws: Laws) -> Iterator[Move]:
    if state.holder != NOBODY and not state.is_over:
        yield "the lease runs out", state._replace(is_over=True)
    if state.asked == "open" and not state.is_late:
        yield "the deadline comes", state._replace(is_late=True)
    if state.is_armed and state.is_late:
        yield "the last rung fires", ended(state, "expired", laws)


def _changes(state: State) -> Iterator[Move]:
    if state.asked != "open" or state.is_late:
        return
    if state.left.edits:
        after = asked_again(state.asked, "approval.edited", "open")
        if after is None:
            raise Broken("I5: an open approval cannot be edited")
        none = ("",) * len(state.votes)
        left = state.left._replace(edits=state.left.edits - 1)
        version = state.version + 1
        yield "it is edited", state._replace(version=version, votes=none, told=none, left=left)
    if state.left.extends:
        fewer = state.left._replace(extends=state.left.extends - 1)
        yield "it is extended", state._replace(left=fewer)


def _operators(state: State, laws: Laws) -> Iterator[Move]:
    now, left = shape(state.run), state.left
    if left.ends and not now.is_terminal:
        after = state._replace(left=left._replace(ends=left.ends - 1))
        yield from _stopped(after, "run.killed", laws)
        yield from _ordered(after, laws)
    if left.pauses:
        run = applied(state.run, "run.paused")
        if run is not None:
            after = state._replace(
                run=run, is_ready=False, left=left._replace(pauses=left.pauses - 1)
            )
            yield "it is paused", after
    if now.status is RunStatus.PAUSED:
        yield from _going(state, "run.resumed", "it is resumed")
    if left.switches and not state.is_engaged:
        fewer = left._replace(switches=left.switches - 1)
        yield "the switch is engaged", state._replace(is_engaged=True, left=fewer)
    if state.is_engaged:
        yield "the switch is released", state._replace(is_engaged=False)
    if now.reason is WaitingReason.HALTED and not state.is_engaged:
        yield from _going(state, "run.freed", "it is freed")
    if now.reason is WaitingReason.QUARANTINED:
        yield from _going(state, "run.released", "it is released")


def _going(state: State, kind: str, said: str) -> Iterator[Move]:
    goes_back = bool(state.facts & Fact.GOING_BACK)
    to = RunStatus.ROLLING_BACK if goes_back else RunStatus.RUNNING
    run = applied(state.run, kind, to)
    if run is not None:
        yield said, state._replace(run=run, is_ready=shape(run).goes_on, tries=0)


def _stopped(state: State, kind: str, laws: Laws) -> Iterator[Move]:
    after = state
    if state.asked == "open" and laws.stops_asking_at_the_end:
        after = ended(state, "cancelled", laws)
    run = applied(after.run, kind)
    if run is not None:
        freed = after._replace(run=run, is_ready=False, holder=NOBODY, is_over=False, tries=0)
        yield kind, stale(freed)


def _ordered(state: State, laws: Laws) -> Iterator[Move]:
    if state.holder != NOBODY and not state.is_over:
        return  # somebody is inside one of its steps
    after = ended(state, "cancelled", laws) if state.asked == "open" else state
    run = applied(after.run, "rollback.started")
    if run is None or state.facts & Fact.GOING_BACK:
        return
    freed = after._replace(
        run=run,
        is_ready=True,
        holder=NOBODY,
        is_over=False,
        tries=0,
        facts=after.facts | Fact.ORDERED | Fact.GOING_BACK,
    )
    yield "an operator has it undone", stale(freed)


def stale(state: State) -> State:
    """The lease is given to nobody: whoever drives does not know it yet."""
    return state._replace(workers=tuple((phase, bool(phase)) for phase, _is_stale in state.workers))


def _put(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])
