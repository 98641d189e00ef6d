"""A SQLite file written anew: what was deleted is in none of its free room, and the log is empty."""

import asyncio
import sqlite3

from engine.store.sqlite_errors import refusal
from engine.store.work import Work


class Compacting(Work[bool]):
    """Work that is no deed of a transaction: the writer does it alone, between two of them."""

    __slots__ = ()

    def __init__(self, answer: asyncio.Future[bool]) -> None:
        super().__init__(lambda _tx: False, answer)

    def compact(self, driver: sqlite3.Connection) -> None:
        """Write the file anew. Whoever reads an older state all the while keeps the log from being emptied."""
        try:
            driver.execute("VACUUM")
            is_kept = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as error:
            self.fail(refusal(error))
        else:
            self.succeed(not is_kept)
