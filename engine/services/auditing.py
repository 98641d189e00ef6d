"""Walks every chain of a tenant and says what is not as it was written, and how much of it is anchored."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from engine.ids import TenantId
from engine.rules.chaining import AUDIT, ChainCheck, Damage, Finding
from engine.rules.folding import Folded
from engine.store import agreement, anchors, lines, receipts, runs, sealing, segments
from engine.store.balances import Balances
from engine.store.case_record import CasesTold
from engine.store.database import Database, Transaction
from engine.store.findings import AnchorCheck, Report
from engine.store.segments import Segment

ANCHORS_AT_ONCE: Final = 100
AUDIT_AT_ONCE: Final = 20_000


async def verify(database: Database, tenant: TenantId, *, trusted: Collection[str]) -> Report:
    """Walk all chains of `tenant`, some at a time, so that writers never wait and memory stays small.

    Anchors count that one of the `trusted` public keys signed. What is written meanwhile may or may
    not be part of it; whatever is older is. A tampering that is younger than the newest anchor, and
    that computed every hash anew, cannot be told from the truth.
    """
    walk = Walk(tenant, trusted=trusted)
    while await database.read(walk.go_on):
        pass
    return walk.report


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One entry of the audit, to be shown."""

    position: int
    kind: str
    data: object
    at: str
    hash: str
    previous: str

    @property
    def id(self) -> str:
        """What it is known by on a page."""
        return str(self.position)


def page(
    tx: Transaction, tenant: TenantId, *, kind: str | None, before: int | None, limit: int
) -> list[AuditLine]:
    """Up to `limit` entries of the audit whose kind begins with `kind`, newest first, older than `before`."""
    found = lines.audit_page(tx, tenant, kind=kind, before=before, limit=limit)
    return [
        AuditLine(
            position=line.position,
            kind=line.kind,
            data=sealing.opened(tx, tenant, _shown(line.data)),
            at=line.at,
            hash=line.hash,
            previous=line.previous,
        )
        for line in found
    ]


def _shown(data: str) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return {"unreadable": data}


class Walk:
    """Goes over anchors, runs and audit in parts; each `go_on` is one part and one reading."""

    def __init__(self, tenant: TenantId, *, trusted: Collection[str]) -> None:
        self.report = Report(tenant=tenant)
        self._tenant = tenant
        self._trusted = trusted
        self._anchored = AnchorCheck(self.report, trusted)
        self._run = ""
        self._audit: ChainCheck | None = None
        self._balances = Balances(tenant)
        self._cases = CasesTold(tenant)
        self._is_begun = False
        self._receipt: str | None = ""
        self._parts = iter((self._anchors, self._runs, self._receipts, self._audits))
        self._part = next(self._parts)

    def go_on(self, tx: Transaction) -> bool:
        """Walk on for a while; says whether there is more."""
        if self._part(tx):
            return True
        following = next(self._parts, None)
        if following is None:
            return False
        self._part = following
        return True

    def _anchors(self, tx: Transaction) -> bool:
        if not self._is_begun:
            self._balances.begin(tx)
            self._is_begun = True
        after = self._anchored.number
        found = anchors.listing(tx, self._tenant, after=after, limit=ANCHORS_AT_ONCE)
        for anchor in found:
            self._anchored.take(anchor, anchors.of_anchor(tx, self._tenant, anchor.number))
        return len(found) == ANCHORS_AT_ONCE

    def _runs(self, tx: Transaction) -> bool:
        page = runs.stored(tx, self._tenant, after=self._run, limit=agreement.AT_ONCE)
        is_last = len(page) < agreement.AT_ONCE
        after, upto = self._run, None if is_last else str(page[-1].id)
        marks = anchors.marks(tx, self._tenant, after=after, upto=upto)
        pruned = segments.of_runs(tx, self._tenant, after=after, upto=upto)
        known = {str(row.id): row for row in page}
        journals: dict[str, Folded] = {}
        found = lines.journal_lines(tx, self._tenant, after=after, upto=upto)
        for run, entries in groupby(found, key=lambda line: line.chain):
            check, folded = self._check(run, marks.pop(run, {}), pruned.get(run)), Folded()
            for line in entries:
                check.take(line)
                folded.take(line.position, line.kind, line.data, path=line.path)
            self._end(check, known.get(run))
            journals[run] = folded
            self._balances.add(folded.accounts)
        for run, marked in marks.items():
            self._end(self._check(run, marked, pruned.get(run)), known.get(run))
        for run in (known.keys() | pruned.keys()) - journals.keys() - marks.keys():
            self._end(self._check(run, {}, pruned.get(run)), known.get(run))
        self.report.add(agreement.disagreements(tx, self._tenant, page, journals))
        self.report.runs += len(page)
        self._run = upto or self._run
        return not is_last

    def _receipts(self, tx: Transaction) -> bool:
        wrong, self._receipt = receipts.altered(tx, self._tenant, after=self._receipt or "")
        self.report.add(Finding(damage=Damage.STATE, chain="receipts", says=says) for says in wrong)
        return self._receipt is not None

    def _audits(self, tx: Transaction) -> bool:
        if self._audit is None:
            marks = anchors.marks_of(tx, self._tenant, AUDIT)
            self._audit = self._check(AUDIT, marks, segments.of_chain(tx, self._tenant, AUDIT))
        check, before = self._audit, self._audit.position
        for line in lines.audit_lines(tx, self._tenant, after=before - 1, most=AUDIT_AT_ONCE):
            check.take(line)
            self._balances.take(line)
            self._cases.take(line)
        if check.position - before >= AUDIT_AT_ONCE:
            return True
        check.end()
        self.report.count(check)
        self.report.add(self._balances.end(tx))
        self.report.add(self._cases.end(tx, is_pruned=check.pruned > 0))
        return False

    def _check(
        self, chain: str, marks: Mapping[int, str], pruned: Sequence[Segment] | None
    ) -> ChainCheck:
        check = ChainCheck(chain, marks)
        segments.follow(check, pruned or (), tenant=self._tenant, trusted=self._trusted)
        for segment in pruned or ():
            self._balances.recall(segment.statement.get("totals"))
        return check

    def _end(self, check: ChainCheck, row: Any) -> None:
        if row is None:
            says = f"{check.chain}: its run is not there any more, or another tenant's."
            orphan = Finding(damage=Damage.ORPHAN, chain=check.chain, says=says)
            self.report.add([orphan])
            check.end()
        else:
            check.end(length=row.next_position, head=row.head)
        self.report.count(check)
