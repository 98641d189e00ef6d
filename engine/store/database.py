"""What the store hands out: a transaction, and the database that runs deeds whole in one."""

from asyncio import Future
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Dialect, text

from engine.ids import Ids, TenantId
from engine.store.hints import Hints
from engine.tokens import Tokens

T = TypeVar("T")

_ACT_FOR = text("SELECT set_config('signoff.tenant', :tenant, true)")


class Driver(Protocol):
    """The driver's own connection below SQLAlchemy's: it is given finished text, with its values in order.

    Failures are SQLAlchemy's `DBAPIError`, as if it had run the statement itself.
    """

    @property
    def dialect(self) -> Dialect:
        """What the text is written in."""
        ...

    def rows(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """What the statement gives."""
        ...

    def run(self, text: str, values: Sequence[Any]) -> int:
        """How many rows the statement touched."""
        ...

    def run_all(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        """Run the statement once for each of `values`."""
        ...

    def run_soon(self, text: str, values: Sequence[Any], *, table: str, is_new: bool) -> None:
        """Run the statement before anything else is asked, and before the deed is over.

        It writes to `table` alone: new rows, if `is_new`. Several may be sent as one.
        """
        ...

    def settle(self) -> None:
        """Return once what was to be run soon has been."""
        ...

    def forget(self) -> None:
        """Run nothing of what was to be run soon: it belongs to what is being undone."""
        ...


@dataclass(slots=True)
class Transaction:
    """One deed's view of the database. Store functions take it first; nothing above the store opens it.

    `clock` tells the moment: the database's where several machines share it, the injected one where
    one process owns the file. `driver` is for prepared statements.
    """

    sqlalchemy: Connection
    clock: Callable[[], datetime]
    ids: Ids
    tokens: Tokens
    driver: Driver | None = None
    hints: set[str] = field(default_factory=set[str])
    is_guarded: bool = False  # whether the database itself shows a deed one tenant's rows alone
    tenant: TenantId | None = None  # the one that it shows now
    may_have_written: bool = False
    deeds: set[str] = field(default_factory=set[str])  # by name, where a failpoint is armed
    heard: Callable[[datetime], None] | None = None  # told of the moment that the database says
    _now: datetime | None = None

    @property
    def connection(self) -> Connection:
        """What runs statements that are not prepared. Nobody sees what they do: they may write."""
        self.may_have_written = True
        if self.driver is not None:
            self.driver.settle()
        return self.sqlalchemy

    @property
    def now(self) -> datetime:
        """The one moment of the whole deed, asked for when it is first needed.

        A deed that locks what it is about before it asks for the moment comes later than whoever
        held the lock before, so that what they wrote stands in the order in which it was written.
        """
        if self._now is None:
            self._now = self.clock()
        return self._now

    @property
    def wants_the_moment(self) -> bool:
        """Whether a question to the database may bring the moment along, for `be_told`."""
        return self._now is None and self.heard is not None

    def be_told(self, moment: datetime) -> None:
        """The database said so, once it held what the deed is about."""
        if self.wants_the_moment and self.heard is not None:
            self.heard(moment)
            self._now = moment

    @contextmanager
    def apart(self) -> Generator[None]:
        """What the block writes is undone alone when it raises; the rest of the deed stays."""
        before, is_kept = self.tenant, False
        try:
            with self.connection.begin_nested():
                yield
                if self.driver is not None:
                    self.driver.settle()
            is_kept = True
        finally:
            if not is_kept:
                self.tenant = before  # the database forgot whom the block acted for, too
                if self.driver is not None:
                    self.driver.forget()

    def come_after(self, before: "Transaction") -> None:
        """Be shown nothing of whoever an earlier deed of the same transaction acted for."""
        if self.is_guarded and before.tenant is not None:
            self.sqlalchemy.execute(_ACT_FOR, {"tenant": ""})

    def ride_with(self, before: "Transaction") -> None:
        """As `come_after`, at the same moment."""
        self.come_after(before)
        self._now = before._now

    def act_for(self, tenant: TenantId) -> None:
        """From here on this deed is `tenant`'s: where the database guards rows, it sees no others.

        For deeds that are about several tenants in turn; all others are begun by `Database.of`.
        """
        if self.is_guarded and tenant != self.tenant:
            if self.driver is not None:
                self.driver.settle()  # as whom they were meant
            self.sqlalchemy.execute(_ACT_FOR, {"tenant": tenant})
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
