"""What the journal says of a step as it begins: how it is undone, and what is promised of it."""

from datetime import timedelta

from engine.rules.durations import parse_duration
from signoff.calls import importable_name
from signoff.options import Duration, StepOptions
from signoff.undoing import REQUEST_NAME, Compensation, HttpUndo, Undo, undo_function


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
