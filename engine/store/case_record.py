"""Whether cases are as stored what the audit says became of them."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from engine.clock import iso
from engine.digest import canonical
from engine.ids import TenantId
from engine.rules.chaining import Damage, Finding, Line
from engine.store.database import Transaction
from engine.store.tables import cases

ROWS: Final = 1_000  # at once
UNREADABLE: Final = (
    LookupError,
    TypeError,
    ValueError,
)  # what entries make us raise that were edited


class _Told(NamedTuple):
    status: str
    outcome: str | None = None
    settlement: str | None = None
    expires_at: str | None = None
    given_up: str | None = None


class CasesTold:
    """What the audit's entries make of each case; compared with its rows once all were taken."""

    def __init__(self, tenant: TenantId) -> None:
        self._tenant = tenant
        self._told: dict[str, _Told] = {}

    def take(self, line: Line) -> None:
        """Take the next entry of the audit; those of other things, and unreadable ones, say nothing."""
        if not line.kind.startswith("case."):
            return
        try:
            said: Any = json.loads(line.data)
            case, status = str(said["case"]), str(said["to"])
        except UNREADABLE:
            return
        known = self._told.get(case, _Told(status))._replace(status=status)
        if line.kind == "case.opened":
            known = known._replace(expires_at=said.get("expires_at"))
        if line.kind in {"case.expired", "case.closed"}:
            ended = {name: said.get(name) for name in ("by", "reason", "at")}
            known = known._replace(given_up=canonical(ended).decode())
        if line.kind == "case.finalized":
            known = known._replace(outcome=said.get("outcome"))
        if line.kind == "case.settled":
            known = known._replace(settlement=said.get("settlement"), outcome=said.get("outcome"))
        self._told[case] = known

    def end(self, tx: Transaction, *, is_pruned: bool) -> Iterator[Finding]:
        """Where rows say another thing, in the very reading in which the last entry was taken.

        Where the beginning of the audit was pruned, cases that ended before are told by nothing.
        """
        last, left = "", dict(self._told)  # whoever's reading broke off ends it once more
        while rows := self._page(tx, last):
            for row in rows:
                told = left.pop(row.id, None)
                if told is None and not is_pruned:
                    yield _found(f"case {row.id} is not in the audit")
                elif told is not None and not _agrees(told, row, is_pruned=is_pruned):
                    yield _found(
                        f"case {row.id} is stored as {row.status}, the audit says {told.status}"
                    )
            last = rows[-1].id
        for case in sorted(left):
            yield _found(f"case {case} is stored nowhere")

    def _page(self, tx: Transaction, after: str) -> Any:
        wanted = select(
            cases.c.id,
            cases.c.status,
            cases.c.outcome,
            cases.c.settlement,
            cases.c.expires_at,
            cases.c.given_up,
        )
        page = wanted.where(cases.c.tenant == self._tenant, cases.c.id > after)
        return tx.connection.execute(page.order_by(cases.c.id).limit(ROWS)).all()


def _agrees(told: _Told, row: Any, *, is_pruned: bool) -> bool:
    until = None if row.expires_at is None else iso(row.expires_at)
    stored = (row.status, row.outcome, row.settlement, until, row.given_up)
    said = zip(told, stored, strict=True)
    # Of what was decided before the audit begins, it may tell no more than a late signal.
    return all(one == other or (is_pruned and one is None) for one, other in said)


def _found(says: str) -> Finding:
    return Finding(damage=Damage.STATE, chain="cases", says=f"{says}.")
