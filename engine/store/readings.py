"""A run in figures, read from its journal: calls, errors, steps, and how long it really worked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from engine.clock import iso
from engine.rules.changes import apply
from engine.rules.monitor import Reading
from engine.rules.states import RunShape, RunStatus, WaitingReason
from engine.store.journal import Entry
from engine.store.runs import RunRow

CALLED: Final = frozenset({"step.finished", "step.failed"})
FIRED: Final = "monitor.fired"
_IDLE: Final = frozenset(
    {
        WaitingReason.APPROVAL,
        WaitingReason.TIMER,
        WaitingReason.BUDGET,
        WaitingReason.HALTED,
        WaitingReason.RECONCILE,
        WaitingReason.STUCK,
        WaitingReason.CHANGED,
        WaitingReason.QUARANTINED,
    }
)


def reading(
    row: RunRow, entries: Sequence[Entry], *, now: datetime, spent: Mapping[str, int]
) -> Reading:
    """The run as its monitors see it; `spent` is what others know of its budgets."""
    calls = [entry.at for entry in entries if entry.kind in CALLED]
    errors = [entry.at for entry in entries if entry.kind == "step.failed"]
    steps = sum(entry.kind == "step.finished" for entry in entries)
    until = row.ended_at or now
    busy = _busy(entries, until)
    return Reading(
        workflow=row.workflow,
        began_at=row.created_at,
        now=until,
        busy=busy,
        calls=calls,
        errors=errors,
        steps=steps,
        asked=_asked(entries),
        spent=spent,
        facts={
            "run": {"id": row.id, "workflow": row.workflow, "input": dict(row.input)},
            "calls": len(calls),
            "errors": len(errors),
            "steps": steps,
            "seconds": int(busy.total_seconds()),
            "last": _last(entries),
            "spent": dict(spent),
        },
    )


def telemetry(row: RunRow, entries: Sequence[Entry], *, now: datetime) -> dict[str, object]:
    """What `GET /api/runs/{id}` says under `monitor`: figures, what was found, and what to do about it."""
    found = reading(row, entries, now=now, spent={})
    fired = [entry for entry in entries if entry.kind == FIRED]
    return {
        "calls": len(found.calls),
        "errors": len(found.errors),
        "steps": found.steps,
        "busy_ms": round(found.busy.total_seconds() * 1000),
        "alerts": [
            {
                "monitor": each.name,
                "at": iso(each.at),
                "says": each.data["says"],
                "then": each.data["then"],
                "approval": each.data["approval"],
            }
            for each in fired
        ],
        "recommendations": list(dict.fromkeys(str(each.data["advice"]) for each in fired)),
    }


def has_fired(entries: Sequence[Entry], name: str, window: int) -> bool:
    """Whether the monitor fired in this window of the run already."""
    return any(
        each.kind == FIRED and each.name == name and each.data["window"] == window
        for each in entries
    )


def _busy(entries: Sequence[Entry], until: datetime) -> timedelta:
    """How long the run was neither waiting for somebody nor held."""
    busy, since = timedelta(0), None
    shape: RunShape | None = None
    for entry in entries:
        before = shape
        shape = apply(shape, entry.kind, entry.data)
        if since is not None and before is not None and _works(before):
            busy += entry.at - since
        since = entry.at
    if since is not None and shape is not None and _works(shape):
        busy += max(until - since, timedelta(0))
    return busy


def _works(shape: RunShape) -> bool:
    is_idle = shape.is_terminal or shape.status in {RunStatus.PAUSED, RunStatus.CREATED}
    return not is_idle and shape.reason not in _IDLE


def _asked(entries: Sequence[Entry]) -> list[datetime]:
    """When each approval was opened that nobody has decided yet."""
    opened: dict[str, datetime] = {}
    for entry in entries:
        if entry.kind == "approval.opened":
            opened[str(entry.data.get("approval"))] = entry.at
        elif entry.kind == "approval.decided":
            opened.pop(str(entry.data.get("approval")), None)
    return list(opened.values())


def _last(entries: Sequence[Entry]) -> dict[str, object]:
    ended = next((entry for entry in reversed(entries) if entry.kind in CALLED), None)
    if ended is None:
        return {}
    error = ended.data.get("error")
    return {"name": ended.name, "result": ended.data.get("result"), "error": error}
