"""Rows that tests write, small ones and large ones, and which of them are there."""

from sqlalchemy import insert, select

from engine.store.database import Transaction
from engine.store.tables import meta

MARK = "kept"
MEGABYTE = 1 << 20


def keep(key: str) -> "Row":
    """A deed that writes a small row."""
    return Row(key)


class Row:
    """Writes one row, of so many bytes or a few more."""

    def __init__(self, key: str, size: int = 0) -> None:
        self.key, self.size = key, size

    def __call__(self, tx: Transaction) -> str:
        value = MARK + "x" * self.size
        tx.connection.execute(insert(meta).values(key=self.key, value=value))
        return self.key


def kept(tx: Transaction) -> list[str]:
    """Which rows are there, in the order of their keys."""
    rows = select(meta.c.key).where(meta.c.value.startswith(MARK)).order_by(meta.c.key)
    return list(tx.connection.execute(rows).scalars())
