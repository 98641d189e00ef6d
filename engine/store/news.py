"""What happened lately, read from journals: of one run by position, of a tenant by moment."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, func, select, text

from engine.clock import iso, micros
from engine.ids import RunId, TenantId
from engine.rules.news import news_type
from engine.store.database import Transaction
from engine.store.tables import NEWS, journal


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One entry of a journal, as it is told: what happened where, and nothing of what was said."""

    run: RunId
    position: int
    at: datetime
    type: str
    approval: str | None

    @property
    def id(self) -> str:
        """Made of the entry alone, so that it is the same whoever tells it, and how often."""
        return f"{micros(self.at)}.{self.run}.{self.position}"

    def to_json(self) -> dict[str, object]:
        """The shape that webhooks have, with references in place of content."""
        data = {"run": self.run, "position": self.position, "approval": self.approval}
        return {"type": self.type, "timestamp": iso(self.at), "data": data}


_TOLD: Sequence[Column[Any]] = (
    journal.c.run,
    journal.c.position,
    journal.c.at,
    journal.c.kind,
    journal.c.data,
)


def of_run(tx: Transaction, run: RunId, *, after: int, limit: int) -> list[News]:
    """What followed `after` in one run, oldest first, its insides included."""
    query = (
        select(*_TOLD)
        .where(journal.c.run == run, journal.c.position > after)
        .order_by(journal.c.position)
        .limit(limit)
    )
    return [_news(row) for row in tx.connection.execute(query)]


def newest(tx: Transaction, tenant: TenantId, *, since: datetime, limit: int) -> list[News]:
    """The latest of a tenant that happened at `since` or later, oldest first.

    Where there is more than `limit`, what happened first is left out.
    """
    query = (
        select(*_TOLD)
        .where(
            journal.c.tenant == tenant,
            journal.c.at >= since,
            text(NEWS),
            journal.c.kind != "budget.reserved",
        )
        .order_by(journal.c.at.desc(), journal.c.run.desc(), journal.c.position.desc())
        .limit(limit)
    )
    return [_news(row) for row in tx.connection.execute(query)][::-1]


def last_position(tx: Transaction, run: RunId) -> int:
    """Where the run's journal ends."""
    query = select(func.max(journal.c.position)).where(journal.c.run == run)
    found = tx.connection.execute(query).scalar()
    return -1 if found is None else int(found)


def _news(row: Row[Any]) -> News:
    data = json.loads(row.data)
    approval = data.get("approval")
    return News(
        run=RunId(row.run),
        position=row.position,
        at=row.at,
        type=news_type(row.kind, data),
        approval=approval if isinstance(approval, str) else None,
    )
