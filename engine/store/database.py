"""What the store hands out: a transaction, and the database that runs deeds whole in one."""

import sqlite3
from asyncio import Future
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection, text

from engine.ids import Ids, TenantId
from engine.store.hints import Hints
from engine.tokens import Tokens

T = TypeVar("T")

_ACT_FOR = text("SELECT set_config('signoff.tenant', :tenant, true)")


@dataclass(slots=True)
class Transaction:
    """One deed's view of the database. Store functions take it first; nothing above the store opens it.

    `clock` tells the moment: the database's where several machines share it, the injected one where
    one process owns the file. `driver` is SQLite's own connection below `connection`, for prepared
    statements; only the writer has it.
    """

    connection: Connection
    clock: Callable[[], datetime]
    ids: Ids
    tokens: Tokens
    driver: sqlite3.Connection | None = None
    hints: set[str] = field(default_factory=set[str])
    is_guarded: bool = False  # whether the database itself shows a deed one tenant's rows alone
    tenant: TenantId | None = None  # the one that it shows now
    _now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The one moment of the whole deed, asked for when it is first needed.

        A deed that locks what it is about before it asks for the moment comes later than whoever
        held the lock before, so that what they wrote stands in the order in which it was written.
        """
        if self._now is None:
            self._now = self.clock()
        return self._now

    @contextmanager
    def apart(self) -> Generator[None]:
        """What the block writes is undone alone when it raises; the rest of the deed stays."""
        before, is_kept = self.tenant, False
        try:
            with self.connection.begin_nested():
                yield
            is_kept = True
        finally:
            if not is_kept:
                self.tenant = before  # the database forgot whom the block acted for, too

    def act_for(self, tenant: TenantId) -> None:
        """From here on this deed is `tenant`'s: where the database guards rows, it sees no others.

        For deeds that are about several tenants in turn; all others are begun by `Database.of`.
        """
        if self.is_guarded and tenant != self.tenant:
            self.connection.execute(_ACT_FOR, {"tenant": tenant})
            self.tenant = tenant

    def hint(self, topic: str) -> None:
        """After the commit, wake whoever listens to `topic`. Nothing is sent when the deed is undone."""
        self.hints.add(topic)


class Database(Protocol):
    """Where everything is kept. A deed is a synchronous function of a `Transaction`: nothing is awaited in it."""

    @property
    def hints(self) -> Hints: ...

    def of(self, tenant: TenantId, /) -> "Database":
        """The same database for deeds that are `tenant`'s alone.

        A PostgreSQL with row-level security shows them no row of anybody else, whatever they ask.
        """
        ...

    def submit(self, deed: Callable[[Transaction], T]) -> Future[T]:
        """Begin to write `deed`; what `write` would answer or raise is the future's.

        Raises:
            Unavailable: when the store is closed.
        """
        ...

    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        """Run `deed` whole and return its answer once it is durable.

        An error raised by the deed undoes the deed alone and is raised here; others that share the commit
        are not touched. A caller that is cancelled does not undo a deed that has begun.

        Raises:
            NotRecorded: when `within` passed without a confirmation; the deed may still land.
            Unavailable: when the store cannot be written; nothing of the deed was kept.
        """
        ...

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run `query` on a connection that cannot write, over one consistent state."""
        ...
