"""What is true of two moments of a database (I18, I22, I23, I24): looked at, restored, told again, upgraded."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from bot.chaos.checker.book import Book, Row, fingerprint
from bot.chaos.checker.world import Effect

# What a message that comes again may leave behind: that it came, and who was told what of it.
TOLD_AGAIN: Final = frozenset({"inbox", "audit", "idempotency", "nonces", "sessions", "keys"})
# What nobody may forget: (table, what tells one row from all others).
KEPT: Final = (
    ("journal", ("run", "position", "hash")),
    ("audit", ("tenant", "position", "hash")),
    ("versions", ("approval", "version", "digest")),
    ("votes", ("id", "approval", "person", "choice", "version")),
    ("anchors", ("tenant", "number", "statement")),
    ("artifacts", ("tenant", "hash")),
)


def changed_tables(before: Book, after: Book) -> set[str]:
    """The tables whose rows are not the same, blind to when somebody was last seen."""
    one, other = fingerprint(before), fingerprint(after)
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def moved_by_looking(before: Book, after: Book) -> Iterator[str]:
    """I18: what a GET or HEAD changed."""
    for table in sorted(changed_tables(before, after)):
        yield f"I18: {table} is not what it was, and somebody only looked"


@asynccontextmanager
async def only_looking(read: Callable[[], Awaitable[Book]]) -> AsyncGenerator[list[str]]:
    """Checksums of all tables around the block, in which somebody looks; the list holds what moved."""
    before, found = await read(), list[str]()
    yield found
    found += moved_by_looking(before, await read())


def told_again(before: Book, after: Book) -> Iterator[str]:
    """I23: what the repeat of an inbound message changed, beside that it came."""
    for table in sorted(changed_tables(before, after) - TOLD_AGAIN):
        yield f"I23: {table} is not what it was after the first time"


def forgotten(before: Book, after: Book) -> Iterator[str]:
    """I24: what was there before an upgrade and is not any more, or is another."""
    for table, columns in KEPT:
        kept = {_named(row, columns) for row in after[table]}
        for row in before[table]:
            if _named(row, columns) not in kept:
                yield f"I24: {table} has lost {_named(row, columns)}"
    for name, run in before.runs.items():
        now = after.runs.get(name)
        if now is None or (run["ended_at"] is not None and now["status"] != run["status"]):
            told = "gone" if now is None else now["status"]
            yield f"I24: run {name} was {run['status']} and is {told}"


def epoch(book: Book) -> int:
    """Which life of the database it is."""
    return next((int(row["value"]) for row in book["meta"] if row["key"] == "epoch"), 1)


def not_begun_anew(backup: Book, restored: Book) -> Iterator[str]:
    """I22: what goes on by itself after a backup was put in place, before anybody has looked."""
    if epoch(restored) <= epoch(backup):
        yield f"I22: it is epoch {epoch(restored)} as before"
    for run in restored["runs"]:
        if run["lease_token"] is not None or run["ready_at"] is not None:
            before = backup.runs.get(run["id"])
            if before is None or before["workflow"] != "ask":
                yield f"I22: run {run['id']} goes on before anybody has looked"
    for row in restored["outbox"]:
        known = {each["id"] for each in backup["outbox"]}
        if row["id"] in known and row["status"] == "pending":
            yield f"I22: {row['id']} is sent again before anybody has looked"
    for line in forgotten(backup, restored):
        yield line.replace("I24", "I22", 1)


def done_again(before: Sequence[Effect], after: Sequence[Effect]) -> Iterator[str]:
    """I22: what was dispatched both before the restore and after it, though it may happen once."""
    done = Counter(effect.request for effect in before)
    for request in dict.fromkeys(effect.request for effect in after):
        if request in done:
            yield f"I22: {request} was dispatched before the restore, and again after it"


def _named(row: Row, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(row[column] for column in columns)
