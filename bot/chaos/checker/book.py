"""The whole database as plain rows, and how to look things up in them."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

Row = Mapping[str, Any]
_Sorted = dict[tuple[str, str], dict[object, list[Row]]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
RUNG = re.compile(r"(?P<deed>.*) after (?P<count>\d+)(?P<unit>[smhd])", re.DOTALL)
SEEN_ONLY = {"sessions": {"seen_at"}, "keys": {"last_used_at"}}  # what looking may move


@dataclass(frozen=True)
class Rung:
    """One rung as written: what happens, and how many microseconds after the opening."""

    deed: str
    after: int


@dataclass(frozen=True)
class Book:
    """Every row of every table."""

    tables: Mapping[str, Sequence[Row]]
    faults: tuple[str, ...] = ()
    _sorted: _Sorted = field(default_factory=dict[tuple[str, str], dict[object, list[Row]]])

    def __getitem__(self, table: str) -> Sequence[Row]:
        return self.tables[table]

    @cached_property
    def journals(self) -> dict[str, list[Row]]:
        """The entries of each run in order, with their data read."""
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for line in sorted(self["journal"], key=lambda row: (row["run"], row["position"])):
            found[line["run"]].append({**line, "data": json.loads(line["data"])})
        return found

    @cached_property
    def approvals(self) -> dict[str, Row]:
        """The approvals by id, with their decisions read."""
        return {
            row["id"]: {**row, "decision": json.loads(row["decision"] or "null")}
            for row in self["approvals"]
        }

    @cached_property
    def runs(self) -> dict[str, Row]:
        return {row["id"]: row for row in self["runs"]}

    def where(self, table: str, **wanted: object) -> list[Row]:
        """The rows with these values."""
        column, value = next(iter(wanted.items()))
        if (table, column) not in self._sorted:
            self._sorted[table, column] = _by(column, self[table])
        found = self._sorted[table, column].get(value, [])
        return [row for row in found if all(row[name] == wanted[name] for name in wanted)]


def fingerprint(book: Book) -> dict[str, str]:
    """A checksum of each table, blind to when somebody was last seen."""
    return {name: _checksum(rows, name) for name, rows in book.tables.items()}


def rung(text: str) -> Rung:
    """A rung such as `reject after 4h`.

    Raises:
        ValueError: if it is none.
    """
    found = RUNG.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rung.")
    seconds = int(found["count"]) * UNITS[found["unit"]]
    return Rung(found["deed"], seconds * 1_000_000)


def ladder(row: Row) -> list[Rung]:
    """The rungs of an approval."""
    return [rung(text) for text in json.loads(row["ladder"])]


def instant(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 moment."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def spelled(at: int) -> str:
    """The RFC 3339 spelling of microseconds since 1970."""
    moment = EPOCH + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def digest_of(text: str) -> str:
    """`sha256:` and the hash."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def part(data: Row, name: str) -> Row:
    """What `data` holds under this name; nothing, where it holds nothing."""
    found: Row | None = data.get(name)
    return dict[str, Any]() if found is None else found


def twice(values: Iterable[Any]) -> set[Any]:
    """The values that come more than once."""
    return {value for value, count in Counter(values).items() if count > 1}


def _by(column: str, rows: Sequence[Row]) -> dict[object, list[Row]]:
    found: defaultdict[object, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _checksum(rows: Sequence[Row], table: str) -> str:
    blind = SEEN_ONLY.get(table, set())
    told = sorted(
        repr([(column, value) for column, value in row.items() if column not in blind])
        for row in rows
    )
    return digest_of("\n".join(told))
