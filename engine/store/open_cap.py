"""How many approvals one requester may have open: counted where that is needed, and no further than to the cap."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Text, bindparam, func, literal_column, select

from engine.errors import TooManyOpen
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import whose
from engine.store.tables import approvals

PER_LOOK: Final = 10  # of what was free at a look, one part in so many is given before the next one
GOOD_FOR: Final = timedelta(seconds=10)
REQUESTERS_MAX: Final = 10_000  # remembered; then all are looked up anew

_OPEN: Final = (
    select(approvals.c.asked_by)
    .where(
        approvals.c.status == literal_column("'open'"),  # spelled out, for the index of open ones
        approvals.c.asked_by == bindparam("asker"),
        whose(approvals),
    )
    .limit(bindparam("most"))
    .subquery()
)
_COUNTED: Final = Prepared(select(func.count()).select_from(_OPEN))
_ALONE: Final = Prepared(
    select(
        func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key", type_=Text()), 0)).label(
            "held"
        )
    )
)


class OpenCap:
    """The cap on what one requester may have open in one tenant. A cap of 0 is none.

    Near the cap every request is counted, in its own transaction; far from it a look is good for some.
    On PostgreSQL near begins at half of it, and there one requester's requests come one after the
    other, so that several processes at once open no more than the cap has. What each of them was good
    for without looking is a twentieth of the cap at most, for ten seconds: only a requester who opens
    half of the cap within that time may get past it by that much.
    """

    __slots__ = ("_known", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: dict[tuple[TenantId, str], tuple[int, datetime]] = {}

    def demand(self, tx: Transaction, tenant: TenantId, asker: str) -> None:
        """Return if `asker` may have one more approval open.

        Raises:
            TooManyOpen: if that would be more than the cap.
        """
        if self.most == 0:
            return
        left, until = self._known.get((tenant, asker), (0, tx.now))
        if left == 0 or until <= tx.now:
            left, until = self._looked(tx, tenant, asker), tx.now + GOOD_FOR
        if len(self._known) >= REQUESTERS_MAX:
            self._known.clear()
        self._known[tenant, asker] = (max(0, left - 1), until)

    def _looked(self, tx: Transaction, tenant: TenantId, asker: str) -> int:
        is_shared = tx.sqlalchemy.dialect.name == "postgresql"
        given = {"asker": asker, "tenant": tenant, "most": self.most}
        ((count,),) = _COUNTED.plain(tx, given)
        left = (self.most // 2 if is_shared else self.most) - int(count)
        if is_shared and left < PER_LOOK:
            _ALONE.rows(tx, {"key": f"signoff:open:{tenant}:{asker}"})  # until this is committed
            ((count,),) = _COUNTED.plain(tx, given)
        if count >= self.most:
            raise TooManyOpen(
                f"{asker} has as many approvals open as one requester may, which is {self.most}. "
                "Ask again once some of them are decided or cancelled."
            )
        return max(0, left) // PER_LOOK
