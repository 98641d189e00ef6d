"""Tenants (I16) and secrets (I17): no row names one of another tenant, and what is secret stays in its own column."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from bot.chaos.checker.book import Book, Row

# table, column -> what it names: a table and the column there. Names are unique in a tenant only
# where the tenant is part of the key; all others are looked for everywhere.
NAMES: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("identities", "person"): ("people", "id"),
    ("members", "person"): ("people", "id"),
    ("runs", "parent"): ("runs", "id"),
    ("runs", "root"): ("runs", "id"),
    ("journal", "run"): ("runs", "id"),
    ("checkpoints", "run"): ("runs", "id"),
    ("checkpoints", "artifact"): ("artifacts", "hash"),
    ("approvals", "run"): ("runs", "id"),
    ("versions", "approval"): ("approvals", "id"),
    ("votes", "approval"): ("approvals", "id"),
    ("votes", "person"): ("people", "id"),
    ("timers", "approval"): ("approvals", "id"),
    ("messages", "approval"): ("approvals", "id"),
    ("links", "approval"): ("approvals", "id"),
    ("links", "person"): ("people", "id"),
    ("nonces", "link"): ("links", "hash"),
    ("outbox", "message"): ("messages", "id"),
    ("sessions", "person"): ("people", "id"),
    ("sign_ins", "person"): ("people", "id"),
    ("keys", "owner"): ("people", "id"),
    ("usages", "budget"): ("budgets", "id"),
    ("anchored", "anchor"): ("anchors", "number"),
    ("receipts", "approval"): ("approvals", "id"),
    ("receipts", "same_as"): ("receipts", "request_id"),
    ("receipts", "artifact"): ("artifacts", "hash"),
}
OF_TENANT: Final = frozenset({"people", "artifacts", "anchors", "receipts"})


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A secret that was planted. `homes` are the columns, as `table.column`, in which it may be."""

    text: str
    homes: frozenset[str] = frozenset()


def astray(book: Book) -> Iterator[str]:
    """Rows that name a row of another tenant."""
    owners: dict[tuple[str, str], dict[Any, set[str]]] = {}
    for table, column in set(NAMES.values()):
        found: dict[Any, set[str]] = {}
        for row in book[table]:
            found.setdefault(row[column], set()).add(row["tenant"])
        owners[table, column] = found
    for (table, column), named in NAMES.items():
        for row in book[table]:
            value = row[column]
            there = owners[named].get(value, set[str]()) if value is not None else set[str]()
            if there and row["tenant"] not in there:
                yield f"I16: a row of {table} belongs to another tenant than {column} {value}"


def leaked(
    book: Book, canaries: Sequence[Canary], said: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Planted secrets that are anywhere but at home; `said` are texts that left, each under a name."""
    for table, rows in book.tables.items() if canaries else ():
        for column, value in _values(rows):
            for text in _texts(value):
                for canary in canaries:
                    if canary.text in text and f"{table}.{column}" not in canary.homes:
                        yield f"I17: a secret, {canary.text[:6]}…, is in {table}.{column}"
    for name, text in (said or {}).items():
        yield from (
            f"I17: a secret, {canary.text[:6]}…, is in {name}"
            for canary in canaries
            if canary.text in text
        )


def _values(rows: Iterable[Row]) -> Iterator[tuple[str, Any]]:
    return ((column, value) for row in rows for column, value in row.items())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
        with suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(value).decode(errors="replace")
