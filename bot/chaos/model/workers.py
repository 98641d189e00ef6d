"""What workers do in the small model: they claim, drive, die, and come too late."""

from collections.abc import Iterator
from typing import Final

from bot.chaos.model.asking import applied, has_to_undo, is_halted, shape
from bot.chaos.model.breaking import Broken
from bot.chaos.model.people import Move
from bot.chaos.model.states import NOBODY, Fact, Phase, State
from bot.chaos.simulation.laws import Laws
from engine.rules.changes import OUTCOMES
from engine.rules.states import RunStatus
from engine.rules.suspicion import CRASHES_MAX, is_progress

CAP: Final = 2  # more calls than two are as bad as two


def moves(state: State, laws: Laws) -> Iterator[Move]:
    """Every next state that is a worker's doing."""
    for who, (phase, is_stale) in enumerate(state.workers):
        if phase == Phase.IDLE:
            if state.is_ready and (state.holder == NOBODY or state.is_over):
                yield f"worker {who} claims", _claimed(state, who, laws)
            continue
        if state.left.crashes:
            left = state.left._replace(crashes=state.left.crashes - 1)
            yield f"worker {who} dies", _idle(state, who)._replace(left=left)
        if state.is_over and not is_stale:
            yield f"worker {who} renews", state._replace(is_over=False)
        yield f"worker {who} goes on", _acted(state, who, phase, laws)


def next_phase(state: State, laws: Laws) -> int:
    """What the code asks for next, given what the journal says."""
    facts = state.facts
    if facts & Fact.GOING_BACK:
        certain = laws.undoes_what_has_no_end or facts & Fact.A_DONE
        return Phase.BEGIN_UNDO if has_to_undo(facts) and certain else Phase.END_UNDO
    if not facts & Fact.A_DONE or not laws.remembers_steps:
        return Phase.BEGIN_A
    if state.asked in {"", "changes_requested"}:
        return Phase.ASK if not state.asked else Phase.GO_BACK
    if state.asked != "approved":
        return Phase.GO_BACK
    if facts & Fact.B_DONE:
        return Phase.COMPLETE
    if facts & Fact.B_BEGUN:
        return Phase.PROBE_B if laws.doubts_what_was_lost else Phase.CALL_B
    return Phase.BEGIN_B


def _claimed(state: State, who: int, laws: Laws) -> State:
    tries = min(state.tries + 1, CRASHES_MAX + 1)
    if tries > CRASHES_MAX:
        run = applied(state.run, "run.quarantined")
        if run is None:
            raise Broken("I19: a run that ended its workers cannot be set aside")
        return _stale(state)._replace(
            run=run, is_ready=False, holder=NOBODY, is_over=False, tries=0
        )
    run = state.run
    if shape(run).status is RunStatus.CREATED:
        run = applied(run, "run.started") or run
    taken = _stale(state)._replace(run=run, holder=who, is_over=False, tries=tries)
    return _at(taken, who, next_phase(taken, laws))


def _acted(state: State, who: int, phase: int, laws: Laws) -> State:
    is_lost = state.workers[who][1]
    if phase in _CALLS:
        which, then = _CALLS[phase]
        return _called(state, who, 3 if is_lost and phase == Phase.CALL_B else which, then)
    if phase == Phase.BEGIN_A and state.facts & Fact.A_DONE and not is_lost:
        raise Broken("I10: a step that is finished begins again")
    if phase in _BEGINNINGS:
        kind, fact, then = _BEGINNINGS[phase]
        return _begun(state, who, kind, (fact, then), laws)
    if phase in _ENDS:
        kind, fact = _ENDS[phase]
        return _written(state, who, kind, fact, laws)
    if phase == Phase.PROBE_B:
        return _probed(state, who, laws)
    if phase == Phase.ASK:
        return _asked(state, who, laws)
    return _ended(state, who, phase, laws)


_CALLS: Final = {
    Phase.CALL_A: (0, Phase.FINISH_A),
    Phase.CALL_B: (2, Phase.FINISH_B),
    Phase.CALL_UNDO: (1, Phase.FINISH_UNDO),
}
_BEGINNINGS: Final = {
    Phase.BEGIN_A: ("step.begun", Fact.A_BEGUN, Phase.CALL_A),
    Phase.BEGIN_B: ("step.begun", Fact.B_BEGUN | Fact.USED, Phase.CALL_B),
    Phase.BEGIN_UNDO: ("compensation.begun", Fact.UNDO_BEGUN, Phase.CALL_UNDO),
}
_ENDS: Final = {
    Phase.FINISH_A: ("step.finished", Fact.A_DONE),
    Phase.FINISH_B: ("step.finished", Fact.B_DONE),
    Phase.FINISH_UNDO: ("compensation.finished", Fact.UNDO_DONE),
    Phase.GO_BACK: ("rollback.started", Fact.GOING_BACK),
}


def _called(state: State, who: int, which: int, then: int) -> State:
    calls = list(state.calls)
    calls[which] = min(calls[which] + 1, CAP)
    done = state._replace(calls=(calls[0], calls[1], calls[2], calls[3]))
    return _at(done, who, then)


def _begun(state: State, who: int, kind: str, so: tuple[int, int], laws: Laws) -> State:
    fact, then = so
    is_ordered = kind == "compensation.begun" and state.facts & Fact.ORDERED
    is_lost = state.workers[who][1]
    if is_halted(is_engaged=state.is_engaged) and not is_ordered and not is_lost:
        if not laws.asks_the_switch:
            raise Broken("I15: a step begins while the kill switch is engaged")
        run = applied(state.run, "run.halted")
        if run is not None:
            return _freed(state._replace(run=run, is_ready=False), who)
    after = _written(state, who, kind, fact, laws)
    is_begun = bool(after.workers[who][0])
    return _at(after, who, then) if is_begun else after


def _written(state: State, who: int, kind: str, fact: int, laws: Laws) -> State:
    """The entry, and what the worker then does; it is idle where it may not write."""
    if state.workers[who][1]:
        if not laws.proves_leases:
            raise Broken(f"I4: {kind} by a worker that lost its lease")
        return _idle(state, who)
    if shape(state.run).status is RunStatus.PAUSED and kind not in OUTCOMES:
        return _freed(state._replace(tries=max(0, state.tries - 1)), who, keeps_tries=True)
    run = applied(state.run, kind)
    if run is None:
        raise Broken(f"I19: {kind} cannot happen to a run that is {shape(state.run)}")
    tries = 1 if is_progress(kind) else state.tries
    after = state._replace(run=run, facts=state.facts | fact, tries=tries)
    return _at(after, who, next_phase(after, laws))


def _probed(state: State, who: int, laws: Laws) -> State:
    if any(state.calls[2:]):
        return _written(state, who, "step.finished", Fact.B_DONE, laws)
    return _begun(state, who, "step.begun", (Fact.B_BEGUN, Phase.CALL_B), laws)


def _asked(state: State, who: int, laws: Laws) -> State:
    after = _written(state, who, "approval.opened", 0, laws)
    if not after.workers[who][0]:
        return after
    return _freed(after._replace(asked="open", version=1, is_armed=True, is_ready=False), who)


def _ended(state: State, who: int, phase: int, laws: Laws) -> State:
    kind = "run.completed" if phase == Phase.COMPLETE else "run.rolled_back"
    after = _written(state, who, kind, 0, laws)
    if not after.workers[who][0]:
        return after
    if phase == Phase.END_UNDO and after.calls[0] and not after.calls[1]:
        raise Broken("I9: it is rolled back, and what was done is not undone")
    return _freed(after._replace(is_ready=False), who)


def _freed(state: State, who: int, *, keeps_tries: bool = False) -> State:
    tries = state.tries if keeps_tries else 0
    return _idle(state, who)._replace(holder=NOBODY, is_over=False, tries=tries)


def _idle(state: State, who: int) -> State:
    return _at(state, who, Phase.IDLE)


def _at(state: State, who: int, phase: int) -> State:
    mine = (phase, state.workers[who][1] and phase != Phase.IDLE)
    return state._replace(workers=(*state.workers[:who], mine, *state.workers[who + 1 :]))


def _stale(state: State) -> State:
    return state._replace(workers=tuple((phase, bool(phase)) for phase, _lost in state.workers))
