"""What time does to a case: once it is over, and there is no outcome, the case is given up."""

from typing import Final

import structlog

from engine.errors import EngineError
from engine.store import cases, reconciliations
from engine.store.database import Transaction

BROKEN: Final = (
    EngineError,
    LookupError,
    TypeError,
    ValueError,
)  # what a damaged row makes us raise
BATCH_MAX: Final = 50  # cases in one deed: bounds how long the writer is held by them

log = structlog.get_logger("engine.services")


def expire_due(tx: Transaction) -> int:
    """Give up the cases whose time is over, at most `BATCH_MAX` of them; says how many.

    What people had answered by then counts before. One that cannot be given up is told of in the log,
    and holds up no other.
    """
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
