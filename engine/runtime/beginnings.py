"""How a step begins: what the journal says of it before its effect, with what its budgets keep back for it."""

from collections.abc import Mapping
from datetime import timedelta

from engine.rules.accounts import RESERVED, WITHHELD
from engine.rules.durations import parse_duration
from engine.runtime.memory import last
from engine.runtime.pausing import Pausing
from engine.runtime.sandboxing import marks_of
from engine.runtime.wanted import Wanted
from engine.services import driving
from engine.services.driving import Driven, Permit
from engine.store.journal import Entry, NewEntry
from signoff.calls import check_arguments, importable_name
from signoff.options import Duration, StepOptions
from signoff.undoing import REQUEST_NAME, Compensation, HttpUndo, Undo, undo_function


class Beginning:
    """Writes the beginnings of the steps of one drive.

    What an attempt asks of budgets is told with its beginning, where it has one, and by an entry of
    its own otherwise: the same transaction either way.
    """

    def __init__(self, driven: Driven, pausing: Pausing) -> None:
        self._driven, self._unwritten = driven, pausing.unwritten
        self._marks = marks_of(pausing.claim)

    async def begun(self, wanted: Wanted, number: int, asks: Mapping[str, object] | None) -> None:
        """Record that the step begins, or begins again, with what it `asks` of budgets in the same deed.

        Raises:
            BudgetExceeded, KillSwitchTriggered, RunHeld: if it may not; nothing was appended.
        """
        begun = last(wanted.known, "step.begun")
        if begun is None and number == 1:
            await self._begin(wanted, asks)
        elif begun is not None and _tells_each(begun, wanted.known[-1]):
            # Each of its attempts is told before, so that none is ever lost without a trace.
            told = {key: value for key, value in begun.data.items() if key not in _OF_ONE_ATTEMPT}
            again = {**told, "attempt": number, **_kept_back(asks)}
            await self._unwritten.begin(wanted.entry("step.begun", again))
        elif begun is not None and begun is wanted.known[-1]:
            # Its attempt was lost in a crash and may have had its effect: the journal says so.
            told = {key: value for key, value in begun.data.items() if key != WITHHELD}
            again = {**told, "again": True, **_kept_back(asks)}
            await self._unwritten.begin(wanted.entry("step.begun", again))
        elif asks is not None:
            await self._unwritten.record(_asking(wanted, number, asks))

    async def _begin(self, wanted: Wanted, asks: Mapping[str, object] | None) -> None:
        call, options = wanted.call, wanted.options
        check_arguments(call.fn, call.args, call.kwargs)
        if wanted.is_ordinary:
            # Nothing depends on its beginning, but it may depend on what came before: an idempotency
            # key that was drawn then must be the same when it is done again after a crash.
            along = [] if asks is None else [_asking(wanted, 1, asks)]
            await self._unwritten.record(*along)
            return
        approved = options.approved
        facts: dict[str, object] = {
            "fn": importable_name(call.fn),
            "arguments": call.to_json()["arguments"],
            "request_id": wanted.key(self._driven.run),
            **undo_facts(call.undo),
            **promises(options),
            "approval": None if approved is None else approved.approval,
            **self._marks,
            **_kept_back(asks),
        }
        begun = wanted.entry("step.begun", facts)
        if approved is None:
            await self._unwritten.begin(begun)
            return
        permit = Permit(approval=approved.approval, digest=approved.digest, call=call.to_json())
        await self._unwritten.write(
            lambda tx, before: driving.dispatch(tx, self._driven, begun, permit, before=before)
        )


_OF_ONE_ATTEMPT = frozenset({"again", WITHHELD})


def _tells_each(begun: Entry, newest: Entry) -> bool:
    """Whether the attempt that comes next is told before: what it leaves must be undone, or settled."""
    has_undo = begun.data.get("undo") is not None
    return bool(begun.data.get("irreversible")) or (has_undo and begun is not newest)


def _kept_back(asks: Mapping[str, object] | None) -> Mapping[str, object]:
    return {} if asks is None else {WITHHELD: asks}


def _asking(wanted: Wanted, number: int, asks: Mapping[str, object]) -> NewEntry:
    return wanted.entry(RESERVED, {"attempt": number, **asks})


def undo_facts(undo: Undo | None) -> dict[str, object]:
    """What a step's beginning says of its undo, so that a rollback finds it after a restart."""
    if undo is None:
        return {"undo": None}
    fn = undo_function(undo)
    request = fn.to_json() if isinstance(fn, HttpUndo) else None
    name = REQUEST_NAME if isinstance(fn, HttpUndo) else importable_name(fn)
    if not isinstance(undo, Compensation):
        return (
            {"undo": name} if request is None else {"undo": name, "undo_terms": {"http": request}}
        )
    limit = length_of(undo.timeout)
    terms = {
        "retries": undo.retries,
        "timeout": None if limit is None else limit.total_seconds(),
        "needs": undo.needs if isinstance(undo.needs, str | None) else list(undo.needs),
        "irreversible": undo.irreversible or None,
        "kind": undo.kind,
        "http": request,
    }
    said = {key: value for key, value in terms.items() if value is not None}
    return {"undo": name, "undo_terms": said}


def promises(options: StepOptions) -> dict[str, object]:
    """What is journaled of a step that must not happen twice; nothing for all others."""
    if not options.irreversible:
        return {}
    probe = options.probe
    return {
        "irreversible": True,
        "attempt": 1,
        "probe": None if probe is None else importable_name(probe),
    }


def length_of(wanted: Duration | None) -> timedelta | None:
    """A duration as a length of time, however it was written; None as it is."""
    return parse_duration(wanted) if isinstance(wanted, str) else wanted
