"""What keeps workers honest and the store small: leases renewed, freed, and old rows dropped."""

from collections.abc import Mapping
from datetime import timedelta

from engine.ids import LeaseToken, RunId
from engine.store import runs
from engine.store.database import Transaction


def renew(tx: Transaction, held: Mapping[RunId, LeaseToken], *, lease_for: timedelta) -> set[RunId]:
    """Extend the leases that are still held; gives the runs whose drivers must stop."""
    return runs.renew(tx, held, lease_for=lease_for)


def free_all(tx: Transaction) -> int:
    """Free every lease; only for the sole owner of a file, at its start."""
    return runs.release_all(tx)
