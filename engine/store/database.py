"""What the store hands out: a transaction, and the database that runs deeds whole in one."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from engine.ids import Ids
from engine.store.hints import Hints
from engine.tokens import Tokens

T = TypeVar("T")


@dataclass(slots=True)
class Transaction:
    """One deed's view of the database. Store functions take it first; nothing above the store opens it.

    `clock` tells the moment: the database's where several machines share it, the injected one where
    one process owns the file.
    """

    connection: Connection
    clock: Callable[[], datetime]
    ids: Ids
    tokens: Tokens
    hints: set[str] = field(default_factory=set[str])
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
        with self.connection.begin_nested():
            yield

    def hint(self, topic: str) -> None:
        """After the commit, wake whoever listens to `topic`. Nothing is sent when the deed is undone."""
        self.hints.add(topic)


class Database(Protocol):
    """Where everything is kept. A deed is a synchronous function of a `Transaction`: nothing is awaited in it."""

    @property
    def hints(self) -> Hints: ...

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
