"""Monitors at work: runs are read, rules judge them, and what one finds is recorded and acted on once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from engine.digest import canonical
from engine.ids import RunId, TenantId
from engine.rules.monitor import Finding, Limit, Monitor, Overdue, Own, Then, judge
from engine.rules.states import ApprovalStatus, RunStatus
from engine.store import (
    approvals,
    artifacts,
    checkpoints,
    holding,
    journal,
    nearing,
    notices,
    overdue,
    readings,
    runs,
    tenants,
    watched,
)
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry
from engine.store.nearing import Nearing
from engine.store.overdue import Late
from engine.store.runs import RunRow

Spent = Callable[[Transaction, RunRow], Mapping[str, int]]  # of each budget the share used, in %
Snapshot = Callable[[RunRow, Sequence[Entry], str], Mapping[str, object]]

SNAPSHOT_TYPE: Final = "application/json"
_OVER: Final = frozenset({"step.finished", "approval.decided", "sleep.ended", "value.recorded"})

log = structlog.get_logger("engine.services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one monitor found in one run, and in which of its windows."""

    run: RunId
    workflow: str
    monitor: Monitor
    finding: Finding
    window: int

    @property
    def says(self) -> str:
        """The finding in one sentence, with the monitor's name."""
        return f"{self.monitor.name}: {self.finding.says}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was found among some runs, which paused ones may go on, and after which run to look on."""

    found: tuple[Found, ...]
    agreed: tuple[tuple[RunId, str], ...]
    last: RunId | None


def look(
    tx: Transaction,
    tenant: TenantId,
    monitors: Sequence[Monitor],
    spent: Spent,
    *,
    after: RunId | None,
) -> Page:
    """Judge the next of the tenant's runs that are under way. Reads only.

    Runs that wait for people do nothing that could be judged; what they have spent may all the same
    near a limit, and they may wait for too long, so those are looked at by such rules alone.
    """
    of_idle = [each for each in monitors if isinstance(each.watch, Limit | Overdue)]
    near = nearing.waiting(tx, tenant, _nearing(monitors), after=after)
    late = overdue.waiting(tx, tenant, _late(monitors), after=after)
    busy = {row.id: row for row in watched.under_way(tx, tenant, after=after)}
    found_by_id = {**{row.id: row for row in (*near, *late)}, **busy}
    rows = [found_by_id[run] for run in sorted(found_by_id)][: watched.PAGE]
    wanted = [row for row in rows if any(each.is_about(row.workflow) for each in monitors)]
    journals = journal.entries_of(tx, [row.id for row in wanted])
    found = [
        each
        for row in wanted
        for each in _judged(
            tx, row, journals[row.id], monitors if row.id in busy else of_idle, spent
        )
    ]
    agreed = [
        (row.id, approval)
        for row in wanted
        if row.status is RunStatus.PAUSED
        and (approval := _asked(journals[row.id])) is not None
        and approvals.get(tx, tenant, approval).status is ApprovalStatus.APPROVED
    ]
    return Page(found=tuple(found), agreed=tuple(agreed), last=rows[-1].id if rows else None)


def fire(
    tx: Transaction,
    tenant: TenantId,
    found: Found,
    *,
    ask: Callable[[Transaction], str | None],
    snapshot: Snapshot,
) -> bool:
    """Record what was found, do what the monitor says, and tell the operators: all of it, once.

    Whoever else found the same at the same moment, or before a crash, is answered False. A run that
    has ended meanwhile is left alone. `ask` opens the approval of a monitor that asks for one; where
    nobody can be asked the run is paused all the same.
    """
    row = runs.get(tx, tenant, found.run, lock=True)
    entries = journal.entries(tx, found.run)
    monitor, finding = found.monitor, found.finding
    if row.ended_at is not None or readings.has_fired(entries, monitor.name, found.window):
        return False
    approval = ask(tx) if monitor.then is Then.ASK else None
    fired = NewEntry(
        kind=readings.FIRED,
        name=monitor.name,
        data={
            "window": found.window,
            "says": finding.says,
            "advice": finding.advice,
            "then": monitor.then,
            "approval": approval,
        },
    )
    journal.append(tx, found.run, [fired])
    if monitor.then is Then.CHECKPOINT:
        _checkpoint(tx, row, entries, monitor.name, snapshot(row, entries, monitor.name))
    elif monitor.then in {Then.ASK, Then.PAUSE} and not holding.is_held(row):
        _hold(tx, row, found)
    _tell(tx, tenant, found)
    log.warning("monitor.fired", run=found.run, monitor=monitor.name, then=str(monitor.then))
    return True


def let_go(tx: Transaction, tenant: TenantId, run: RunId, approval: str) -> None:
    """Resume a run that a monitor paused, because people agreed; nothing, if it goes on already."""
    row = runs.get(tx, tenant, run, lock=True)
    if holding.is_held(row) and _asked(journal.entries(tx, run)) == approval:
        holding.resume(tx, row, by=f"approval:{approval}", reason="People agreed.")


def everybody(tx: Transaction) -> list[TenantId]:
    """The organisations whose runs are driven."""
    return [each.id for each in tenants.listing(tx, only_active=True)]


def _nearing(monitors: Sequence[Monitor]) -> list[Nearing]:
    return [
        Nearing(name=each.name, at=each.watch.at, workflow=each.workflow, window=each.window)
        for each in monitors
        if isinstance(each.watch, Limit)
    ]


def _late(monitors: Sequence[Monitor]) -> list[Late]:
    return [
        Late(name=each.name, after=each.watch.after, workflow=each.workflow, window=each.window)
        for each in monitors
        if isinstance(each.watch, Overdue)
    ]


def _judged(
    tx: Transaction,
    row: RunRow,
    entries: Sequence[Entry],
    monitors: Sequence[Monitor],
    spent: Spent,
) -> list[Found]:
    if row.status is RunStatus.PAUSED:
        return []
    wanted = [monitor for monitor in monitors if monitor.is_about(row.workflow)]
    asks_for_budgets = any(isinstance(monitor.watch, Limit | Own) for monitor in wanted)
    used: Mapping[str, int] = spent(tx, row) if asks_for_budgets else dict[str, int]()
    reading = readings.reading(row, entries, now=tx.now, spent=used)
    found: list[Found] = []
    for monitor in wanted:
        window = monitor.window_of(reading)
        finding = judge(monitor.watch, reading)
        if finding is not None and not readings.has_fired(entries, monitor.name, window):
            found.append(
                Found(
                    run=row.id,
                    workflow=row.workflow,
                    monitor=monitor,
                    finding=finding,
                    window=window,
                )
            )
    return found


def _asked(entries: Sequence[Entry]) -> str | None:
    """The approval that a paused run waits for because a monitor asked, if that is why it is paused."""
    paused = next((each for each in reversed(entries) if each.kind == "run.paused"), None)
    if paused is None or not str(paused.data.get("by")).startswith("monitor:"):
        return None
    before = [each for each in entries if each.position < paused.position]
    fired = next((each for each in reversed(before) if each.kind == readings.FIRED), None)
    return None if fired is None else fired.data.get("approval")


def _hold(tx: Transaction, row: RunRow, found: Found) -> None:
    if row.reason not in holding.ASKED_FOR:
        holding.hold(tx, row, by=f"monitor:{found.monitor.name}", reason=found.finding.says)


def _checkpoint(
    tx: Transaction,
    row: RunRow,
    entries: Sequence[Entry],
    name: str,
    content: Mapping[str, object],
) -> None:
    address = artifacts.put(tx, row.tenant, canonical(content), SNAPSHOT_TYPE)
    # The code did not ask for it, so it has no call path, and its place is behind what is over.
    over = (each.path for each in entries if each.path is not None and each.kind in _OVER)
    place = max((int(path.partition(".")[0]) + 1 for path in over), default=0)
    data = {"artifact": address, "place": str(place)}
    journal.append(tx, row.id, [NewEntry(kind="checkpoint.created", name=name, data=data)])
    checkpoints.insert_last(tx, row.tenant, row.id, name=name, artifact=address)


def _tell(tx: Transaction, tenant: TenantId, found: Found) -> None:
    done = {
        Then.ALERT: "Nothing was done.",
        Then.ASK: "It is paused until an operator agrees that it goes on.",
        Then.CHECKPOINT: "A checkpoint was made.",
        Then.PAUSE: f"It is paused; `signoff runs resume {found.run}` lets it go on.",
    }[found.monitor.then]
    told = notices.Notice(
        event="monitor.fired",
        title=f"{found.monitor.name}: a run of {found.workflow}",
        text=f"Run {found.run}: {found.finding.says} {done} {found.finding.advice}",
        path=f"/runs/{found.run}",
    )
    notices.tell_operators(tx, tenant, told)
