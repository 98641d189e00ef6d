"""Using the result of an equal call again: answered from what is kept, and kept with the step's end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.ids import LeaseToken, RunId, TenantId
from engine.rules.wording import is_table
from engine.store import journal, reuse
from engine.store.database import Transaction
from engine.store.journal import NewEntry
from engine.store.reuse import Kept

__all__ = ["Keeping", "Kept", "answer", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Under which key the result of a run's call is kept, and for how long."""

    tenant: TenantId
    run: RunId
    key: str
    keep_for: timedelta


def answer(tx: Transaction, keeping: Keeping) -> Kept | None:
    """What an equal call returned, if that is kept and its time is not over."""
    return reuse.find(tx, keeping.tenant, keeping.key)


def keep(
    tx: Transaction, keeping: Keeping, ended: Sequence[NewEntry], *, token: LeaseToken
) -> None:
    """Append what has `ended`, the call's own end last, and keep its result in the same transaction.

    Raises:
        LeaseLost: if somebody else drives the run by now; then nothing is kept.
    """
    journal.append(tx, keeping.run, ended, token=token)
    said = ended[-1].data
    cost = said.get("cost")
    kept = Kept(
        result=said["result"],
        cost={str(unit): amount for unit, amount in cost.items()} if is_table(cost) else {},
        run=keeping.run,
        made_at=tx.now,
    )
    until = tx.now + keeping.keep_for
    reuse.keep(tx, keeping.tenant, keeping.key, kept, until=until)
