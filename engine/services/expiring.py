"""What time does: a case without an outcome is given up, and what was claimed and never settled is unknown."""

from typing import Final

import structlog

from engine.errors import EngineError
from engine.store import cases, receipts, reconciliations
from engine.store.database import Transaction

BROKEN: Final = (
    EngineError,
    LookupError,
    TypeError,
    ValueError,
)  # what a damaged row makes us raise
BATCH_MAX: Final = 50  # of each kind in one deed: bounds how long the writer is held by them
NOT_HEARD: Final = {"error": "Whoever claimed it was not heard of in time."}

log = structlog.get_logger("engine.services")


def expire_due(tx: Transaction) -> int:
    """Give up the cases whose time is over, and say of the effects whose claim is that they are unknown.

    At most `BATCH_MAX` of each; says how many. What people had answered by then counts before. One for
    which it cannot be done is told of in the log, and holds up no other.
    """
    return _give_up_cases(tx) + _doubt_claims(tx)


def _give_up_cases(tx: Transaction) -> int:
    done = 0
    for tenant, case in cases.take_due(tx, limit=BATCH_MAX):
        tx.act_for(tenant)
        try:
            with tx.apart():
                reconciliations.take_up(tx, cases.get(tx, tenant, case, lock=True))
        except BROKEN:
            log.exception("case.not_expired", case=case)
        else:
            done += 1
    return done


def _doubt_claims(tx: Transaction) -> int:
    done = 0
    for tenant, execution in receipts.take_lapsed(tx, limit=BATCH_MAX):
        tx.act_for(tenant)
        try:
            with tx.apart():
                row = receipts.of_execution(tx, tenant, execution)
                done += row is not None and receipts.doubt(tx, row, NOT_HEARD) is not row
        except BROKEN:
            log.exception("receipt.not_doubted", execution=execution)
    return done
