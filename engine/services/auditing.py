"""Walks every chain of a tenant and says what is not as it was written, and how much of it is anchored."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.ids import TenantId
from engine.rules.accounts import Accounts
from engine.rules.chaining import AUDIT, ChainCheck, Damage, Finding
from engine.store import (
    agreement,
    anchors,
    kept_runs,
    lines,
    receipt_record,
    sealing,
    segments,
)
from engine.store.balances import Balances
from engine.store.case_record import CasesTold
from engine.store.database import Database, Transaction
from engine.store.findings import AnchorCheck, Report
from engine.store.kept_runs import Journaled
from engine.store.receipt_record import Place, ReceiptsTold
from engine.store.segments import Segment
from engine.store.walked import walked

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
    """Goes over anchors, runs and audit in parts; each `go_on` is one part and one reading.

    Each reading sees one state, and runs go on between them: what is compared is read in one part. One
    that broke off is done again, so that all is read before any of it is counted.
    """

    def __init__(
        self, tenant: TenantId, *, trusted: Collection[str], at_once: int = agreement.AT_ONCE
    ) -> None:
        self.report = Report(tenant=tenant)
        self._tenant = tenant
        self._trusted = trusted
        self._at_once = at_once  # runs
        self._anchored = AnchorCheck(self.report, trusted)
        self._run = ""
        self._audit: ChainCheck | None = None
        self._balances = Balances(tenant)
        self._cases = CasesTold(tenant)
        self._is_begun = self._is_over = False
        self._receipt = Place()
        self._receipts_told = ReceiptsTold(tenant)
        self._parts = iter((self._anchors, self._runs, self._receipts, self._audits))
        self._part = next(self._parts)

    def go_on(self, tx: Transaction) -> bool:
        """Walk on for a while; says whether there is more."""
        if self._is_over or self._part(tx):
            return not self._is_over
        following = next(self._parts, None)
        self._is_over = following is None
        self._part = following or self._part
        return not self._is_over

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
        page = kept_runs.stored(tx, self._tenant, after=self._run, limit=self._at_once)
        is_last = len(page) < self._at_once
        after, upto = self._run, None if is_last else page[-1].id
        marks = anchors.marks(tx, self._tenant, after=after, upto=upto)
        pruned = segments.of_runs(tx, self._tenant, after=after, upto=upto)

        def begun(run: str) -> ChainCheck:
            return self._check(run, marks.get(run), pruned.get(run))

        known = {row.id: row for row in page}
        stored = agreement.stored(tx, self._tenant, list(known))
        part, told = Report(tenant=self._tenant, runs=len(page)), list[Accounts]()
        left = known.keys() | pruned.keys() | marks.keys()
        for check, folded in walked(tx, self._tenant, after=after, upto=upto, begun=begun):
            row = known.get(check.chain)
            if row is not None and (wrong := agreement.disagreements(row, folded, stored)):
                part.add(wrong)
            if folded.accounts.is_anything:
                told.append(folded.accounts)
            _end(part, check, row)
            left.discard(check.chain)
        for run in sorted(left):
            _end(part, begun(run), known.get(run))
        self._recall(each for several in pruned.values() for each in several)
        for accounts in told:
            self._balances.add(accounts)
        self.report.join(part)
        self._run = upto or self._run
        return not is_last

    def _receipts(self, tx: Transaction) -> bool:
        wrong, following = receipt_record.altered(tx, self._tenant, after=self._receipt)
        self.report.add(wrong)
        self._receipt = following or self._receipt
        return following is not None

    def _audits(self, tx: Transaction) -> bool:
        if self._audit is None:
            marks = anchors.marks_of(tx, self._tenant, AUDIT)
            pruned = segments.of_chain(tx, self._tenant, AUDIT)
            self._audit = self._check(AUDIT, marks, pruned)
            self._recall(pruned)
        check, before = self._audit, self._audit.position
        for line in lines.audit_lines(tx, self._tenant, after=before - 1, most=AUDIT_AT_ONCE):
            check.take(line)
            self._balances.take(line)
            self._cases.take(line)
            self._receipts_told.take(line)
        if check.position - before >= AUDIT_AT_ONCE:
            self.report.add(self._receipts_told.look(tx))
            return True
        wrong = [*self._balances.end(tx), *self._cases.end(tx, is_pruned=check.pruned > 0)]
        wrong += self._receipts_told.look(tx)
        check.end()
        self.report.count(check)
        self.report.add(wrong)
        return False

    def _check(
        self, chain: str, marks: Mapping[int, str] | None, pruned: Sequence[Segment] | None
    ) -> ChainCheck:
        check = ChainCheck(chain, marks)
        if pruned:
            segments.follow(check, pruned, tenant=self._tenant, trusted=self._trusted)
        return check

    def _recall(self, pruned: Iterable[Segment]) -> None:
        for segment in pruned:
            self._balances.recall(segment.statement.get("totals"))


def _end(report: Report, check: ChainCheck, row: Journaled | None) -> None:
    if row is None:
        says = f"{check.chain}: its run is not there any more, or another tenant's."
        orphan = Finding(damage=Damage.ORPHAN, chain=check.chain, says=says)
        report.add([orphan])
        check.end()
    else:
        check.end(length=row.next_position, head=row.head)
    report.count(check)
