"""PostgreSQL's own connection, given finished text from within a deed."""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only
from typing_extensions import override

from engine.store.database import Driver

T = TypeVar("T")

_PLACE: Final = re.compile(r"\$(\d+)")


class PostgresDriver(Driver):
    """Runs statements in whatever transaction its connection is in; each text is prepared once.

    A deed is synchronous and runs in a greenlet of SQLAlchemy's, which waits here for the server.
    """

    __slots__ = ("_dialect", "_kept", "_raw", "_soon")

    def __init__(self, raw: Any, dialect: Dialect, kept: dict[str, Any]) -> None:
        self._raw, self._dialect, self._kept = raw, dialect, kept
        self._soon: list[_Soon] = []

    @property
    @override
    def dialect(self) -> Dialect:
        return self._dialect

    @override
    def rows(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        self.settle()
        return await_only(self.found(text, values))

    @override
    def run(self, text: str, values: Sequence[Any]) -> int:
        self.settle()
        return await_only(self.touched(text, values))

    @override
    def run_all(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        async def touch_all() -> None:
            await (await self._prepared(text)).executemany(values)

        self.settle()
        await_only(self._told(text, touch_all))

    @override
    def run_soon(self, text: str, values: Sequence[Any], *, table: str, is_new: bool) -> None:
        # Parts of one statement do not see each other: what changes rows of a table goes behind
        # whatever wrote to it before.
        if any(each.table == table and not (each.is_new and is_new) for each in self._soon):
            self.settle()
        self._soon.append(_Soon(text, values, table, is_new))

    @override
    def settle(self) -> None:
        if self._soon:
            soon, self._soon = self._soon, []
            self.run(
                joined([each.text for each in soon]), [v for each in soon for v in each.values]
            )

    @override
    def forget(self) -> None:
        self._soon.clear()

    async def found(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """As `rows`, for whoever is no deed."""

        async def fetch() -> Sequence[Sequence[Any]]:
            rows: Sequence[Sequence[Any]] = await (await self._prepared(text)).fetch(*values)
            return rows

        return await self._told(text, fetch)

    async def touched(self, text: str, values: Sequence[Any]) -> int:
        """As `run`, for whoever is no deed."""

        async def touch() -> int:
            prepared = await self._prepared(text)
            await prepared.fetch(*values)
            return _touched(prepared.get_statusmsg())

        return await self._told(text, touch)

    async def types(self, text: str) -> tuple[str, ...]:
        """What the server takes each of the statement's values for."""

        async def ask() -> tuple[str, ...]:
            return tuple(each.name for each in (await self._prepared(text)).get_parameters())

        return await self._told(text, ask)

    async def tell(self, text: str) -> str:
        """Have the server begin, commit or roll back; what it says it did."""
        return str(await self._told(text, lambda: self._raw.execute(text)))

    def cut(self) -> None:
        """End the connection without another word."""
        self._raw.terminate()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is of no more use."""
        return bool(self._raw.is_closed())

    async def _prepared(self, text: str) -> Any:
        prepared = self._kept.get(text)
        if prepared is None:
            prepared = self._kept[text] = await self._raw.prepare(text)
        return prepared

    async def _told(self, text: str, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await ask()
        except Exception as error:  # border: the driver's own, which comes without types
            if _is_outdated(error):
                self._kept.clear()
            if isinstance(error, OSError):  # no answer in time, or nobody there
                raise
            raise DBAPIError(
                text, None, error, connection_invalidated=self.is_closed, hide_parameters=True
            ) from error


class _Soon(NamedTuple):
    text: str
    values: Sequence[Any]
    table: str
    is_new: bool


def joined(texts: Sequence[str]) -> str:
    """One statement that does what all of `texts` do, its values in their order.

    They see what was before it and nothing of each other; references between their rows are checked
    at its end (postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING).
    """
    numbered: list[str] = []
    count = 0
    for text in texts:
        numbered.append(_PLACE.sub(partial(_moved, by=count), text))
        count += len(set(_PLACE.findall(text)))
    *first, last = numbered
    named = ", ".join(f"w{index} AS ({text})" for index, text in enumerate(first))
    return f"WITH {named} {last}" if named else last


def _moved(place: re.Match[str], *, by: int) -> str:
    return f"${int(place[1]) + by}"


class Kept:
    """What each connection has prepared, for as long as there is the connection."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()

    def driver(self, raw: Any, dialect: Dialect) -> PostgresDriver:
        """The driver of a connection that speaks `dialect`."""
        return PostgresDriver(raw, dialect, self._of.setdefault(raw, {}))


def _touched(status: str) -> int:
    """How many rows, of what the server says at the end: `UPDATE 1`, `INSERT 0 3`."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


def _is_outdated(error: Exception) -> bool:
    """Whether another process changed the schema under what was prepared."""
    return type(error).__name__ == "InvalidCachedStatementError"
