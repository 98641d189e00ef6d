"""What the audit says of receipts: one entry for each change of one, and whether rows are as it says."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Text, and_, bindparam, select, tuple_

from engine.clock import iso
from engine.digest import canonical, tagged_digest
from engine.ids import TenantId
from engine.rules.cases import CaseStatus
from engine.rules.chaining import AUDIT, Damage, Finding, Line
from engine.rules.states import ApprovalStatus
from engine.store import audit as chain
from engine.store import segments
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import Among
from engine.store.tables import audit, receipts

TAG: Final = "signoff/receipt/v1"
EFFECT: Final = "signoff/effect/v1"
GRANTED: Final = "receipt.granted"  # whoever got it may make the effect
RECORDED: Final = "receipt.recorded"  # it had happened before anybody claimed it
NAMED: Final = "receipt.named"  # one more name of an effect
SPENT: Final = "receipt.spent"  # a target took the permit of whoever was granted it
SETTLED: Final = "receipt.settled"  # whoever made it says how it ended
DOUBTED: Final = "receipt.doubted"  # nobody knows whether it happened
RECONCILED: Final = "receipt.reconciled"  # somebody found out
ADOPTED: Final = "receipt.adopted"  # it was there before the audit told of receipts
REFUSED: Final = "receipt.refused"  # it may not be made, and will not be
OF_ROWS: Final = frozenset({GRANTED, RECORDED, NAMED, SPENT, SETTLED, DOUBTED, RECONCILED, ADOPTED})

PAGE: Final = 500
# What an entry says in words, by the columns it stands in; of the rest it has the digest, for what
# people wrote must not be in a chain from which nothing can be erased.
TOLD: Final[Mapping[str, str]] = {
    "receipt": "execution",
    "namespace": "namespace",
    "request_id": "request_id",
    "action": "action",
    "state": "state",
    "attempt": "attempts",
    "by": "claimed_by",
}
DIGESTED: Final = (
    "fingerprint", "effect", "same_as", "approval", "settles", "result", "artifact", "error", "token",
    "lease_expires_at", "settled_by", "reason", "created_at", "updated_at",
)  # fmt: skip


def told(row: Any) -> dict[str, object]:
    """What the audit says of a receipt whose row is this."""
    rest = {name: _plain(getattr(row, name)) for name in DIGESTED}
    # Only where it was: most were told of before there were permits.
    if (spent := getattr(row, "spent", None)) is not None:
        rest["spent"] = spent
    said: dict[str, object] = {name: getattr(row, column) for name, column in TOLD.items()}
    return {**said, "digest": tagged_digest(TAG, rest)}


def _plain(value: object) -> object:
    return iso(value) if isinstance(value, datetime) else value


def refuse(tx: Transaction, tenant: TenantId, said: Mapping[str, object], *, reason: str) -> None:
    """Put on record that an effect is blocked for good; whoever waits for people may ask again and again."""
    if reason not in _STILL_OPEN:
        chain.append(tx, tenant, REFUSED, {**said, "reason": reason})


_STILL_OPEN: Final = frozenset(
    f"blocked:{status}"
    for status in (
        ApprovalStatus.OPEN,
        ApprovalStatus.CHANGES_REQUESTED,
        CaseStatus.OPEN,
        CaseStatus.IN_RECONCILIATION,
        CaseStatus.RESOLVED_PROVISIONAL,
    )
)


class Place(NamedTuple):
    """A receipt, in the order in which they are looked at."""

    namespace: str = ""
    request_id: str = ""


_COLUMNS: Final = (*TOLD.values(), *DIGESTED, "spent", "payload", "told")
_ENTRY: Final = and_(audit.c.tenant == receipts.c.tenant, audit.c.position == receipts.c.told)
_BEHIND: Final = tuple_(bindparam("namespace", type_=Text()), bindparam("request_id", type_=Text()))
_ROWS: Final = Prepared(
    select(*(receipts.c[name] for name in _COLUMNS), audit.c.data.label("entry"))
    .select_from(receipts.outerjoin(audit, _ENTRY))
    .where(
        receipts.c.tenant == bindparam("tenant"),
        tuple_(receipts.c.namespace, receipts.c.request_id) > _BEHIND,
    )
    .order_by(receipts.c.namespace, receipts.c.request_id)
    .limit(PAGE)
)


def altered(
    tx: Transaction, tenant: TenantId, *, after: Place
) -> tuple[list[Finding], Place | None]:
    """What is wrong with the next receipts behind `after`: each is of its effect, and as its entry says.

    Gives behind which one to look on; None, if there are no more.
    """
    given: dict[str, object] = {"tenant": tenant, **after._asdict()}
    rows = _ROWS.rows(tx, given)
    pruned = segments.of_chain(tx, tenant, AUDIT)
    first = pruned[-1].last + 1 if pruned else 0
    found = [_found(row, says) for row in rows for says in _wrong(row, first)]
    following = Place(rows[-1].namespace, rows[-1].request_id) if len(rows) == PAGE else None
    return found, following


def _wrong(row: Any, first: int) -> Iterator[str]:
    """What is wrong with a receipt, where the audit begins at the position `first`."""
    if not _is_of(row.action, row.payload, row.fingerprint):
        yield "is not of the effect that its fingerprint stands for"
    if row.entry is None:
        # What was pruned told of it; nothing that came since may.
        if row.told is None or row.told >= first:
            yield "is not in the audit"
    elif row.entry != canonical(told(row)).decode():
        yield "is not what the audit says of it"


def _is_of(action: str, payload: str, fingerprint: str) -> bool:
    try:
        return (
            tagged_digest(EFFECT, {"action": action, "payload": json.loads(payload)}) == fingerprint
        )
    except ValueError:
        return False


class ReceiptsTold:
    """Which receipts the audit told of last, and where, until they are looked up."""

    def __init__(self, tenant: TenantId) -> None:
        self._tenant = tenant
        self._told: dict[str, dict[Place, int]] = {}  # by execution

    def take(self, line: Line) -> None:
        """Take the next entry of the audit; those of other things, and unreadable ones, say nothing."""
        if line.kind not in OF_ROWS:
            return
        try:
            said: Any = json.loads(line.data)
            place = Place(str(said["namespace"]), str(said["request_id"]))
            self._told.setdefault(str(said["receipt"]), {})[place] = line.position
        except (LookupError, TypeError, ValueError):
            return  # the chain's own check tells of it

    def look(self, tx: Transaction) -> list[Finding]:
        """What is not stored any more, or is older than what was taken, in the very reading in which it was.

        What was looked up is forgotten, so that memory stays small.
        """
        stored: dict[tuple[str, Place], int | None] = {}
        wanted = list(self._told)
        for index in range(0, len(wanted), PAGE):
            some = wanted[index : index + PAGE]
            some += some[-1:] * (PAGE - len(some))
            for row in _STORED.rows(tx, some, {"tenant": self._tenant}):
                stored[row.execution, Place(row.namespace, row.request_id)] = row.told
        found = list(self._missing(stored))
        self._told.clear()
        return found

    def _missing(self, stored: Mapping[tuple[str, Place], int | None]) -> Iterator[Finding]:
        for execution, places in self._told.items():
            for place, position in places.items():
                if (execution, place) not in stored:
                    yield _of(place, "is stored nowhere")
                elif (last := stored[execution, place]) is None or last < position:
                    yield _of(place, "is older than what the audit says of it")


_STORED: Final = Among(
    select(
        receipts.c.execution, receipts.c.namespace, receipts.c.request_id, receipts.c.told
    ).where(receipts.c.tenant == bindparam("tenant")),
    receipts.c.execution,
)


def _found(row: Any, says: str) -> Finding:
    return _of(Place(row.namespace, row.request_id), says)


def _of(place: Place, says: str) -> Finding:
    said = f"The receipt {place.namespace}/{place.request_id} {says}."
    return Finding(damage=Damage.STATE, chain="receipts", says=said)
