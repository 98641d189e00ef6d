"""What keeps workers honest and the store small: leases renewed, freed, and old rows dropped."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from engine.ids import LeaseToken, RunId
from engine.store import leases, runs
from engine.store.database import Transaction


def renew(tx: Transaction, held: Mapping[RunId, LeaseToken], *, lease_for: timedelta) -> set[RunId]:
    """Extend the leases that are still held; gives the runs whose drivers must stop."""
    return leases.renew(tx, held, lease_for=lease_for)


def free_all(tx: Transaction) -> int:
    """Free every lease; only for the sole owner of a file, at its start."""
    return runs.release_all(tx)


def give_back(
    tx: Transaction, held: Mapping[RunId, LeaseToken], *, is_blameless: bool = False
) -> int:
    """Hand back runs that were claimed and are not driven any further; others take them up at once.

    Where that has happened already, say whether what was driven here is to blame for it.
    """
    return leases.give_back(tx, held, is_blameless=is_blameless)


def suspects(tx: Transaction, workflows: Sequence[str]) -> set[int]:
    """How often ready runs were taken up in vain, of those that were so at all; see `store.leases`."""
    return leases.suspects(tx, workflows=workflows)
