"""Keeping a checkpoint: a snapshot as an artifact, and a name for the place in the journal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.digest import canonical
from engine.ids import LeaseToken, RunId, TenantId
from engine.store import artifacts, checkpoints, journal
from engine.store.database import Transaction
from engine.store.journal import Entry, NewEntry

SNAPSHOT_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """A checkpoint of a driven run: its name, its call path, and whether the code asked for it."""

    tenant: TenantId
    run: RunId
    token: LeaseToken
    name: str
    path: str
    is_asked: bool


def keep(
    tx: Transaction,
    keeping: Keeping,
    pictured: Callable[[Sequence[Entry]], Mapping[str, object]],
    *,
    before: Sequence[NewEntry] = (),
) -> str:
    """Store what `pictured` makes of the journal so far, and name this position; gives its address.

    Raises:
        LeaseLost: as `journal.append`.
    """
    if before:
        journal.append(tx, keeping.run, before, token=keeping.token)
    snapshot = canonical(pictured(journal.entries(tx, keeping.run)))
    address = artifacts.put(tx, keeping.tenant, snapshot, SNAPSHOT_TYPE)
    # One that the code did not ask for is no answer to it, and has no call path of its own.
    created = NewEntry(
        kind="checkpoint.created",
        name=keeping.name,
        path=keeping.path if keeping.is_asked else None,
        data={"artifact": address} | ({} if keeping.is_asked else {"place": keeping.path}),
    )
    journal.append(tx, keeping.run, [created], token=keeping.token)
    checkpoints.insert_last(tx, keeping.tenant, keeping.run, name=keeping.name, artifact=address)
    return address
