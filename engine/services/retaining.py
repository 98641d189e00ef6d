"""Retention: what is older than was asked for goes, in small deeds, and what is left still proves itself."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from engine.ids import RunId, TenantId
from engine.signing import Signer
from engine.store import audit, pruning
from engine.store.database import Database, Transaction

RUNS_AT_ONCE: Final = 50  # of one look


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long what is kept after its run has ended; None keeps it for good.

    `payload` is of snapshots and of what was sent, `record` of journals, approvals and the audit.
    """

    payload: timedelta | None = None
    record: timedelta | None = None

    @property
    def keep_all(self) -> bool:
        """Whether nothing is ever pruned."""
        return self.payload is None and self.record is None


@dataclass(slots=True, kw_only=True)
class Pruned:
    """How much a look has taken away."""

    runs: int = 0
    entries: int = 0
    artifacts: int = 0
    deliveries: int = 0

    def to_json(self) -> dict[str, object]:
        """The same for the audit and the log."""
        return {
            "runs": self.runs,
            "entries": self.entries,
            "artifacts": self.artifacts,
            "deliveries": self.deliveries,
        }

    @property
    def is_nothing(self) -> bool:
        return not (self.runs or self.entries or self.artifacts or self.deliveries)


async def prune(database: Database, tenant: TenantId, terms: Terms, signer: Signer) -> Pruned:
    """Take away some of what is too old of `tenant`; what is left comes with the next look.

    Each run is a deed of its own, and what is found is looked at once more in it. Nothing of a run
    that has not ended, whose tree has not, or that a legal hold keeps. What was taken away of runs is
    one entry of the audit; what was taken of the audit itself says its summary.
    """
    done = Pruned()
    if terms.payload is not None:
        found = partial(_old, tenant=tenant, terms=terms, is_record=False)
        for run in await database.read(found):
            deed = partial(_payload, tenant=tenant, run=run, terms=terms)
            done.artifacts += await database.write(deed)
        sent = partial(_deliveries, tenant=tenant, within=terms.payload)
        done.deliveries += await database.write(sent)
    if terms.record is not None:
        found = partial(_old, tenant=tenant, terms=terms, is_record=True)
        for run in await database.read(found):
            record = partial(_record, tenant=tenant, run=run, terms=terms, signer=signer)
            entries = await database.write(record)
            done.entries += entries
            done.runs += entries > 0
        beginning = partial(_audit, tenant=tenant, within=terms.record, signer=signer)
        done.entries += await database.write(beginning)
    if done.runs or done.artifacts or done.deliveries:
        said = done.to_json()
        await database.write(lambda tx: audit.append(tx, tenant, "record.pruned", said))
    return done


def _old(tx: Transaction, *, tenant: TenantId, terms: Terms, is_record: bool) -> list[RunId]:
    within = terms.record if is_record else terms.payload
    if within is None:
        return []
    kept = pruning.kept_by_holds(tx, tenant)
    look = pruning.with_old_record if is_record else pruning.with_old_payload
    return look(tx, tenant, tx.now - within, kept, limit=RUNS_AT_ONCE)


def _payload(tx: Transaction, *, tenant: TenantId, run: RunId, terms: Terms) -> int:
    pruning.lock(tx, tenant, run)
    # A hold may have been placed since it was found, or somebody else was faster.
    if run not in _old(tx, tenant=tenant, terms=terms, is_record=False):
        return 0
    return pruning.prune_payload(tx, tenant, run)


def _record(tx: Transaction, *, tenant: TenantId, run: RunId, terms: Terms, signer: Signer) -> int:
    pruning.lock(tx, tenant, run)
    if run not in _old(tx, tenant=tenant, terms=terms, is_record=True):
        return 0
    pruning.prune_payload(tx, tenant, run)
    return pruning.prune_record(tx, tenant, run, signer)


def _deliveries(tx: Transaction, *, tenant: TenantId, within: timedelta) -> int:
    kept = pruning.kept_by_holds(tx, tenant)
    return 0 if kept.everything else pruning.prune_outbox(tx, tenant, tx.now - within, kept)


def _audit(tx: Transaction, *, tenant: TenantId, within: timedelta, signer: Signer) -> int:
    # What it says of people and runs that are held may be anywhere in it.
    kept = pruning.kept_by_holds(tx, tenant)
    if kept.is_any:
        return 0
    return pruning.prune_audit(tx, tenant, tx.now - within, signer)
