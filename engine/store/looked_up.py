"""Runs that nothing drives, in which a rule of a monitor finds something: looked up, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, true

from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.readings import FIRED
from engine.store.runs import RunRow, run_of
from engine.store.tables import journal, runs

PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Whom one rule is about: the runs of one workflow, or all.

    Whoever it found within `window` it does not look at again.
    """

    name: str
    workflow: str | None
    window: timedelta


def page(
    tx: Transaction,
    tenant: TenantId,
    found: Sequence[ColumnElement[bool]],
    *such: ColumnElement[bool],
    after: RunId | None,
) -> list[RunRow]:
    """Up to a hundred runs behind `after`, by id, that are `such` and in which one of `found` is so."""
    if not found:
        return []
    behind = (runs.c.tenant == tenant, runs.c.id > (after or ""))
    query = select(runs).where(*behind, *such, or_(*found)).order_by(runs.c.id).limit(PAGE)
    return [run_of(row) for row in tx.connection.execute(query)]


def is_due(tx: Transaction, rule: Rule) -> ColumnElement[bool]:
    """Whether the rule is about the run, and has not found it within its window."""
    fired = exists().where(
        journal.c.run == runs.c.id,
        journal.c.kind == FIRED,
        journal.c.name == rule.name,
        journal.c.at > tx.now - rule.window,
    )
    about = true() if rule.workflow is None else runs.c.workflow == rule.workflow
    return and_(about, not_(fired))
