"""Changing waiting runs over to another version of their workflow, and telling which wait for theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import Conflict
from engine.ids import RunId, TenantId
from engine.rules.states import RunStatus, WaitingReason
from engine.store import journal, pinned, points, presence, runs
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, RunChanges
from engine.store.runs import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A run that is to go on with other code, and all that it remembers."""

    run: RunRow
    entries: Sequence[Entry]

    @property
    def is_replayed(self) -> bool:
        """Whether its code runs again at all: of a run that rolls back, only what it undoes does."""
        return points.under_way(self.entries) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Which version, who says so, and why."""

    to: str
    by: str
    reason: str


def candidate(tx: Transaction, tenant: TenantId, run: RunId) -> Candidate:
    """The run, as it stands.

    Raises:
        NotFound: if there is no such run.
    """
    return Candidate(run=runs.get(tx, tenant, run), entries=journal.entries(tx, run))


def candidates(
    tx: Transaction, tenant: TenantId, workflow: str, version: str, *, limit: int
) -> list[RunRow]:
    """Up to `limit` runs of that version that have not ended, the oldest first."""
    return pinned.of_version(tx, tenant, workflow, version, limit=limit)


def adopt(tx: Transaction, found: Candidate, adoption: Adoption) -> RunStatus:
    """Let the run go on with another version of its workflow; gives what it is now.

    One that stopped because its code had changed goes on at once.

    Raises:
        Conflict: `run_ended`, `same_version`, `run_driven` while somebody drives it, or `run_moved` if
            more was journaled since it was found; nothing is changed then.
    """
    row = runs.get(tx, found.run.tenant, found.run.id, lock=True)
    _check(tx, row, found, adoption)
    said = {"by": adoption.by, "reason": adoption.reason}
    entries = [NewEntry(kind="run.adopted", data={**said, "from": row.version, "to": adoption.to})]
    changes = RunChanges(workflow_version=adoption.to)
    if row.reason is WaitingReason.CHANGED and row.status is RunStatus.WAITING:
        to = RunStatus.RUNNING if found.is_replayed else RunStatus.ROLLING_BACK
        entries.append(NewEntry(kind="run.retried", data={**said, "to": to}))
        changes = RunChanges(workflow_version=adoption.to, ready_at=tx.now)
    tx.hint("runs")
    return journal.append(tx, row.id, entries, changes=changes).status


def hold(tx: Transaction, workflows: Sequence[str]) -> None:
    """Say that runs of these versions, as `store.leases.pin` names them, are driven by this process."""
    presence.tell(tx, presence.WORKFLOW, workflows)


def held_up(tx: Transaction, rows: Sequence[RunRow]) -> dict[RunId, str]:
    """A sentence for each of `rows` that waits for code which no process holds."""
    return pinned.held_up(tx, rows)


def versions_without_code(tx: Transaction, tenant: TenantId) -> Mapping[str, int]:
    """How many runs wait for each version, named like `refund@1`, that no process holds."""
    return pinned.versions_without_code(tx, tenant)


def _check(tx: Transaction, row: RunRow, found: Candidate, adoption: Adoption) -> None:
    if row.ended_at is not None:
        raise Conflict(f"Run {row.id} has ended: it is {row.status}.", code="run_ended")
    if row.version == adoption.to:
        raise Conflict(f"Run {row.id} runs version {row.version} already.", code="same_version")
    if pinned.is_held(tx, row.id):
        raise Conflict(
            f"Run {row.id} is being driven at this moment. Try again when it waits.",
            code="run_driven",
        )
    if len(journal.entries(tx, row.id)) != len(found.entries):
        raise Conflict(f"Run {row.id} went on meanwhile. Try again.", code="run_moved")
