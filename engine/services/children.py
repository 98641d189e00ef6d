"""Runs that a driven run starts, and undoes again: each deed is one transaction over both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import Invalid
from engine.ids import RunId
from engine.store import family, journal, runs, stopping
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, RunChanges, released
from engine.store.runs import Claim, NewRun
from engine.store.undoing import Undo

DEPTH_MAX: Final = 16  # a workflow that starts itself ends here


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run to be started at `path`. `said` is what the entry says besides."""

    path: str
    workflow: str
    version: str
    input: Mapping[str, object]
    said: Mapping[str, object]
    waits: bool  # whether the run itself waits for it, and not one of its branches


def start(tx: Transaction, claim: Claim, before: Sequence[NewEntry], wanted: Started) -> RunId:
    """Append what came `before`, and start the child for which the run, or a branch of it, then waits.

    Whoever started the parent has started the child, and whoever counts for nothing there counts for
    nothing here.

    Raises:
        LeaseLost: if somebody else drives the run by now, or it has ended.
        Invalid: `too_deep`, if as many as `DEPTH_MAX` runs would stand one above the other.
    """
    above = family.of(tx, claim.run).above
    if len(above) + 2 > DEPTH_MAX:
        raise Invalid(
            f"No more than {DEPTH_MAX} runs can stand one above the other.", code="too_deep"
        )
    child = RunId(tx.ids.new("run"))
    started = NewEntry(
        kind="child.started",
        name=wanted.workflow,
        path=wanted.path,
        data={"child": child, "version": wanted.version, "input": wanted.input, **wanted.said},
    )
    changes = released(ready_at=None, awaits=child) if wanted.waits else None
    parent = claim.run
    journal.append(tx, parent.id, [*before, started], token=claim.token, changes=changes)
    runs.begin(
        tx,
        NewRun(
            id=child,
            tenant=parent.tenant,
            workflow=wanted.workflow,
            version=wanted.version,
            input=wanted.input,
            started_by=parent.started_by,
            owner=parent.owner,
            parent=parent.id,
            parent_path=wanted.path,
            root=parent.root,
            trace=claim.entries[0].data.get("trace"),
            sandbox=claim.sandbox,
        ),
    )
    return child


def undo(tx: Transaction, claim: Claim, wanted: Undo, *, reason: str) -> bool:
    """Have what the child of `wanted` did undone; says whether the run waits until that is over.

    One that is still going on is cancelled first. Where nothing of it can be undone any more, that is
    recorded, and the run keeps its lease.

    Raises:
        LeaseLost: as `start`.
    """
    run = claim.run.id
    row = None if wanted.child is None else family.child(tx, wanted.child)
    if row is not None and row.ended_at is None:
        how = stopping.cancelled(by=f"run:{run}", reason=reason)
        stopping.stop(tx, row.tenant, row.id, how)
    row = None if row is None else family.child(tx, row.id, lock=True)
    undoing = NewEntry(
        kind="child.undoing", name=wanted.step, path=wanted.path, data={"child": wanted.child}
    )
    if row is None or not family.is_to_be_undone(row.status):
        status = None if row is None else row.status
        undone = NewEntry(
            kind="child.undone",
            name=wanted.step,
            path=wanted.path,
            data={"child": wanted.child, "status": status},
        )
        journal.append(tx, run, [undoing, undone], token=claim.token)
        return False
    waits = released(ready_at=None, awaits=row.id)
    journal.append(tx, run, [undoing], token=claim.token, changes=waits)
    started = NewEntry(
        kind="rollback.started",
        data={"to": "start", "position": 0, "mode": "stop", "reason": reason, "parent": run},
    )
    again = RunChanges(ready_at=tx.now, ended_at=None, result=None, error=None, tries=0)
    journal.append(tx, row.id, [started], changes=again)
    return True


def ending(entries: Sequence[Entry], approval: object) -> Mapping[str, Any] | None:
    """How the approval ended for whose lack a run is rolled back, as the one that started it is told."""
    for entry in reversed(entries):
        data = entry.data
        if entry.kind == "approval.decided" and data["approval"] == approval:
            told = {name: data[name] for name in ("approval", "by", "comment")}
            by_time = data["outcome"] == "rollback"
            return {**told, "outcome": "expired" if by_time else data["outcome"]}
        if entry.kind == "child.ended":
            error: Mapping[str, Any] = data["error"] or {}
            below: Mapping[str, Any] | None = error.get("ending")
            if below is not None and below["approval"] == approval:
                return below
    return None
