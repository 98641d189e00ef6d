"""What was pruned on purpose: a segment stands for the lines of a chain, and the rest of that run is not judged."""

import json
from dataclasses import dataclass
from typing import Final

from bot.chaos.checker.book import Book

AUDIT: Final = "audit"  # what the chain is called that is no run's
OF_RUNS: Final = ("journal", "approvals", "checkpoints")
OF_APPROVALS: Final = ("versions", "votes", "timers", "messages", "links")


@dataclass(frozen=True)
class Cut:
    """Where what is left of a chain begins, and the hash that it follows."""

    position: int = 0
    previous: str = ""

    @classmethod
    def of(cls, book: Book, tenant: str, chain: str) -> "Cut":
        """Where this chain begins; from its first line, if nothing of it was pruned."""
        found = sorted(
            book.where("segments", tenant=tenant, chain=chain), key=lambda row: int(row["last"])
        )
        if not found:
            return cls()
        return cls(found[-1]["last"] + 1, str(json.loads(found[-1]["statement"]).get("hash")))


def left(book: Book) -> Book:
    """The book without the runs of which something was pruned, and without what belongs to them."""
    gone = {row["run"] for row in book["prunings"]}
    if not gone:
        return book
    approvals = {row["id"] for row in book["approvals"] if row["run"] in gone}
    tables = {
        **book.tables,
        "runs": [row for row in book["runs"] if row["id"] not in gone],
        **{name: [row for row in book[name] if row["run"] not in gone] for name in OF_RUNS},
        **{
            name: [row for row in book[name] if row["approval"] not in approvals]
            for name in OF_APPROVALS
        },
    }
    messages = {row["id"] for row in tables["messages"]}
    tables["outbox"] = [
        row for row in book["outbox"] if row["message"] is None or row["message"] in messages
    ]
    return Book(tables, book.faults)
