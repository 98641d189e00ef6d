"""Signals as rows: everything that sources ever reported of a case, and what each of them says now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from engine.clock import iso
from engine.digest import canonical
from engine.ids import PersonId, TenantId
from engine.rules.cases import say_share
from engine.rules.consensus import Consensus, Report, weigh
from engine.store.cases import CaseRow
from engine.store.database import Transaction
from engine.store.statements import add, change, find
from engine.store.tables import signals


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """What one source reported once. `by` is who sent it, and `owner` the person behind that key."""

    id: str
    case: str
    sequence: int
    source: str
    outcome: str
    confidence: int
    meta: Mapping[str, Any]
    by: str
    owner: str | None
    is_current: bool
    is_late: bool
    received_at: datetime

    def to_json(self) -> dict[str, object]:
        """The signal as everybody gets it."""
        return {
            "id": self.id,
            "source": self.source,
            "outcome": self.outcome,
            "confidence": say_share(self.confidence),
            "meta": dict(self.meta),
            "by": self.by,
            "current": self.is_current,
            "late": self.is_late,
            "received_at": iso(self.received_at),
        }


def of_case(tx: Transaction, tenant: TenantId, case: str) -> list[SignalRow]:
    """Every signal of a case, in the order in which they came."""
    rows = find(tx, signals, {"case_id": case, "tenant": tenant}, order_by=("sequence",))
    return [_signal(row) for row in rows]


def reporters(known: Sequence[SignalRow]) -> frozenset[PersonId]:
    """Who reported: in person, or by a key that they answer for."""
    persons = (each.by.partition(":") for each in known)
    named = [who for kind, _, who in persons if kind == "person"]
    return frozenset(PersonId(who) for who in (*named, *(each.owner for each in known)) if who)


def insert(tx: Transaction, tenant: TenantId, signal: SignalRow) -> None:
    """Store a signal of a locked case; one that is current takes the place of its source's last."""
    if signal.is_current:
        where = {"case_id": signal.case, "source": signal.source, "is_current": True}
        change(tx, signals, where, {"is_current": False})
    stored: dict[str, object] = {
        "tenant": tenant,
        "case_id": signal.case,
        "id": signal.id,
        "sequence": signal.sequence,
        "source": signal.source,
        "outcome": signal.outcome,
        "confidence": signal.confidence,
        "meta": canonical(dict(signal.meta)).decode(),
        "reported_by": signal.by,
        "owner": signal.owner,
        "is_current": signal.is_current,
        "is_late": signal.is_late,
        "received_at": signal.received_at,
    }
    add(tx, signals, [stored])


def weighed(row: CaseRow, known: Sequence[SignalRow]) -> Consensus:
    """What the current ones among `known`, all of the case `row`, amount to."""
    reports = (
        Report(source=each.source, outcome=each.outcome, confidence=each.confidence)
        for each in known
        if each.is_current
    )
    return weigh(reports, enough=row.terms.enough, sources=row.terms.sources)


def _signal(row: Row[Any]) -> SignalRow:
    return SignalRow(
        id=row.id,
        case=row.case_id,
        sequence=row.sequence,
        source=row.source,
        outcome=row.outcome,
        confidence=row.confidence,
        meta=json.loads(row.meta),
        by=row.reported_by,
        owner=row.owner,
        is_current=row.is_current,
        is_late=row.is_late,
        received_at=row.received_at,
    )
