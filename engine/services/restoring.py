"""What follows when a database was put back to an earlier state: nothing goes on before somebody has looked."""

from collections.abc import Collection
from dataclasses import dataclass

from engine.clock import from_iso, iso
from engine.ids import TenantId
from engine.rules import ballots
from engine.store import audit, erasing, holding, meta, notices, outbox, restoring, runs
from engine.store.database import Transaction
from engine.store.erasing import Erased
from engine.store.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Which life of the database begins, from which moment, and what waits for an operator."""

    epoch: int
    taken_at: str | None
    held: int
    unsent: int
    erased: int = 0  # people who had been erased since, and are again

    def to_json(self) -> dict[str, object]:
        """As the command line prints it for programs."""
        return {
            "epoch": self.epoch,
            "taken_at": self.taken_at,
            "held": self.held,
            "unsent": self.unsent,
            "erased": self.erased,
        }


def begin_anew(
    tx: Transaction,
    *,
    free: Collection[str] = (),
    since: int = 0,
    gone: Collection[Erased] = (),
) -> Restored:
    """Begin the next epoch of a database that came from a backup; nobody may work on it meanwhile.

    What happened between the backup and now is not in it, and may have happened all the same. So
    every run is held, but those of workflows named in `free`, which do nothing by themselves; what
    waited in the outbox is given up; whoever was signed in is not any more. Votes, links in mails and
    keys stay as they were. Doing this twice holds nothing twice. `since` is an epoch that the new one
    must be behind. Whoever is `gone`, for they were erased after the backup, is erased again.
    """
    last = restoring.last_change(tx)
    known = meta.get(tx.connection, meta.BACKED_UP_AT)
    taken_at = known or (None if last is None else iso(last))
    epoch = max(meta.epoch(tx.connection), since) + 1
    runs.release_all(tx)
    outbox.release_all(tx)
    unsent = restoring.stop_deliveries(tx, f"it waited in the backup {_of(taken_at)}.")
    held = holding.hold_all(tx, but=free, reason=_why(taken_at), facts={"epoch": epoch})
    restoring.end_sign_ins(tx)
    again = [each for each in gone if _erased_again(tx, each)]
    meta.forget(tx.connection, meta.BACKED_UP_AT, meta.MOVED_TO)
    meta.put(tx.connection, meta.EPOCH, str(epoch))
    meta.put(tx.connection, meta.RESTORED_AT, iso(tx.now))
    done = Restored(epoch=epoch, taken_at=taken_at, held=held, unsent=unsent, erased=len(again))
    for tenant in restoring.everybody(tx):
        _tell(tx, tenant, done)
    return done


def _erased_again(tx: Transaction, gone: Erased) -> bool:
    tx.act_for(gone.tenant)
    if erasing.is_erased(tx, gone.tenant, gone.person):
        return False
    keys = erasing.erase(tx, gone.tenant, gone.person)
    said = {"keys": keys, "by": "local", "reason": "Erased before; restored from an older backup."}
    audit.append(tx, gone.tenant, "person.erased", said)
    return True


def _tell(tx: Transaction, tenant: TenantId, done: Restored) -> None:
    audit.append(tx, tenant, "database.restored", {**done.to_json(), "by": "local"})
    text = (
        f"This Signoff goes on from a backup {_of(done.taken_at)}. Held runs: {done.held}; messages "
        f"not sent: {done.unsent}; for nobody knows what was done since. Receipts, what budgets count "
        "and kill switches are those of the backup, too. Look, then `signoff runs resume` or `cancel`, "
        "and `signoff outbox redrive`."
    )
    notices.tell_operators(
        tx,
        tenant,
        Notice(event="database.restored", title="Restored from a backup", text=text, path="/runs"),
    )


def _why(taken_at: str | None) -> str:
    return (
        f"It came back from a backup {_of(taken_at)}, and what it did after that is not known here. "
        "Find out what was really done; then let it go on with `signoff runs resume`, or cancel it."
    )


def _of(taken_at: str | None) -> str:
    return "of old" if taken_at is None else f"of {ballots.moment(from_iso(taken_at))}"
