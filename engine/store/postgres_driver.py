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
from engine.store.footing import Asked, Kind, footing, for_many, turn

T = TypeVar("T")

JOINED_MAX: Final = 8  # each length and order of parts is another statement to be prepared
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
        self._settle_for(Asked(text, values))
        return await_only(self.found(text, values))

    @override
    def run(self, text: str, values: Sequence[Any]) -> int:
        self._settle_for(Asked(text, values))
        return await_only(self.touched(text, values))

    @override
    def run_all(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        async def touch_all() -> None:
            await (await self._prepared(text)).executemany(values)

        self.settle()
        stands, asked = footing(text), [Asked(text, each) for each in values]
        is_new = stands is not None and stands.kind is Kind.ADD
        # One statement over arrays meets each row once.
        if is_new or (stands and len({tuple(each.keys) for each in asked}) == len(asked)):
            await_only(self.at_once(text, values))
        else:
            await_only(self._told(text, touch_all))

    @override
    def run_soon(self, text: str, values: Sequence[Any], *, table: str, is_new: bool) -> None:
        soon = _Soon(Asked(text, values), table, is_new)
        if any(soon.goes_behind(each) for each in self._soon):
            self.settle()
        self._soon.append(soon)

    @override
    def settle(self) -> None:
        if self._soon:
            soon, self._soon = self._soon, []
            is_many = len(soon) > JOINED_MAX and all(footing(each.asked.text) for each in soon)
            send = self.send_many if is_many else self.send
            await_only(send([each.asked for each in soon]))

    def _settle_for(self, asked: Asked) -> None:
        if any(asked.heeds(each.asked) for each in self._soon):
            self.settle()

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

    async def send(self, soon: Sequence[Asked]) -> None:
        """Run all of these, none of which heeds another, in one statement."""
        text = joined([each.text for each in soon])
        await self.touched(text, [value for each in soon for value in each.values])

    async def send_many(self, soon: Sequence[Asked]) -> None:
        """As `send`, in one statement for each text that is among them."""
        lots: dict[str, list[Asked]] = {}
        for each in soon:
            lots.setdefault(each.text, []).append(each)
        for lot in sorted(lots.values(), key=lambda lot: turn(lot[0])):
            await self.at_once(lot[0].text, [each.values for each in lot])

    async def at_once(self, text: str, sets: Sequence[Sequence[Any]]) -> list[Any]:
        """What the statement gives for each of `sets`: its rows, or how many rows it touched."""
        stands = footing(text)
        is_read = stands is not None and stands.kind in {Kind.READ, Kind.LOCK}
        many = for_many(text, await self._types(text)) if len(sets) > 1 else None
        if many is None:
            ask = self.found if is_read else self.touched
            return [await ask(text, values) for values in sets]
        rows = await self.found(many, [list(column) for column in zip(*sets, strict=True)])
        answers: list[Any] = [[] if is_read else 0 for _ in sets]
        for number, *row in rows:
            answers[number - 1] += [row] if is_read else 1
        return answers

    async def _types(self, text: str) -> tuple[str, ...]:
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
    asked: Asked
    table: str
    is_new: bool

    def goes_behind(self, earlier: "_Soon") -> bool:
        # Parts of one statement do not see each other: what changes rows goes behind what wrote them.
        if footing(self.asked.text) is None or footing(earlier.asked.text) is None:
            return self.table == earlier.table and not (self.is_new and earlier.is_new)
        return self.asked.heeds(earlier.asked)


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
