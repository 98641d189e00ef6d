"""Checkpoints as rows: names of journal positions, each with the artifact of its snapshot."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, insert, select

from engine.clock import iso
from engine.ids import RunId, TenantId
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import find
from engine.store.tables import checkpoints, runs


def insert_last(tx: Transaction, tenant: TenantId, run: RunId, *, name: str, artifact: str) -> None:
    """Name the run's newest journal position."""
    given = {"whose": tenant, "of": run, "called": name, "snapshot": artifact, "now": tx.now}
    _INSERT_LAST.run(tx, given)


_INSERT_LAST: Final = Prepared(
    insert(checkpoints).values(
        tenant=bindparam("whose"),
        run=bindparam("of"),
        position=select(runs.c.next_position - 1)
        .where(runs.c.id == bindparam("of"))
        .scalar_subquery(),
        name=bindparam("called"),
        artifact=bindparam("snapshot"),
        at=bindparam("now"),
    )
)


def of(tx: Transaction, run: RunId) -> list[Mapping[str, object]]:
    """The run's checkpoints, oldest first, as they are shown."""
    rows = find(tx, checkpoints, {"run": run}, order_by=("position",))
    return [
        {"name": row.name, "position": row.position, "artifact": row.artifact, "at": iso(row.at)}
        for row in rows
    ]
