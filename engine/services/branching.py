"""What the branches of a driven run write together: that all of them wait, or that one ended the others."""

from collections.abc import Sequence
from datetime import datetime

from engine.ids import RunId
from engine.rules.states import ApprovalStatus
from engine.store import approvals, endings, family, journal, leases, stopping
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry, released
from engine.store.runs import Claim

# What ends a branch's wait from outside.
ENDINGS = frozenset(
    {"approval.decided", "child.ended", "effect.settled", "budget.raised", "budget.kept"}
)


def pause(
    tx: Transaction,
    claim: Claim,
    entries: Sequence[NewEntry],
    *,
    paths: frozenset[str],
    moment: datetime | None,
    after: int,
) -> None:
    """Append `entries` and give the lease back: the branches wait at `paths`.

    The run is taken up again at `moment`, or when one of the waits has ended: at once, if one has behind
    the position `after`, up to which the journal was known when the run was claimed.

    Raises:
        LeaseLost: if somebody else drives the run by now, or it has ended.
    """
    run = claim.run.id
    journal.append(tx, run, entries, token=claim.token, changes=released(ready_at=moment))
    if any(entry.kind in ENDINGS and entry.path in paths for entry in since(tx, run, after)):
        leases.make_ready(tx, run)


def since(tx: Transaction, run: RunId, position: int) -> list[Entry]:
    """What the run's journal says behind `position`."""
    return journal.entries(tx, run, after=position)


def end(tx: Transaction, claim: Claim, before: Sequence[NewEntry], ended: NewEntry) -> None:
    """Append what came `before`, end what the branches at the path of `ended` still wait for, and append it.

    Raises:
        LeaseLost: as `pause`.
    """
    run, reason = claim.run.id, str(ended.data["message"])
    rows = approvals.of_run(tx, run, lock=True)  # before the run, as whoever votes
    if before:
        journal.append(tx, run, before, token=claim.token)
    for row in rows:
        if row.status is ApprovalStatus.OPEN and row.path.startswith(f"{ended.path}."):
            decision = endings.decision_of(
                tx, "cancelled", rule="branch_ended", by=["workflow"], comment=reason
            )
            endings.end(tx, row, ApprovalStatus.CANCELLED, decision=decision)
    for child in family.living(tx, claim.run):
        if (child.parent_path or "").startswith(f"{ended.path}."):
            how = stopping.cancelled(by=f"run:{run}", reason=reason)
            stopping.stop(tx, child.tenant, child.id, how)
    journal.append(tx, run, [ended], token=claim.token)
