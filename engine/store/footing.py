"""Which statements several deeds may run at once in one transaction, told by their text; and that text for many."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

# Whose rows belong to one run or approval, by the columns that name it.
KEYED: Final[Mapping[str, frozenset[str]]] = {
    "runs": frozenset({"id"}),
    "journal": frozenset({"run"}),
    "approvals": frozenset({"id", "run"}),
    "versions": frozenset({"approval"}),
    "votes": frozenset({"approval"}),
    "timers": frozenset({"approval"}),
    "links": frozenset({"approval"}),
    "messages": frozenset({"approval"}),
}
# What such deeds read and never write: whoever writes to these is none of them.
READ: Final = frozenset(
    {"identities", "members", "meta", "people", "routings", "switches", "tenants"}
)
_EACH: Final = "SELECT k.n, q.* FROM"
HARMLESS: Final = frozenset({"signoff_now", "pg_advisory_xact_lock_shared"})

_PLACE: Final = re.compile(r"\$(\d+)")
_EQUAL: Final = re.compile(r"\b(\w+)\.(\w+) = \$(\d+)")
_TABLE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)\s*(,?)")
_FUNCTION: Final = re.compile(r"\b((?:pg|signoff)_\w+)\(")
_INSERT: Final = re.compile(r"(INSERT INTO (\w+) \(([\w, ]+)\)) VALUES \((.+)\)", re.DOTALL)
_UPDATE: Final = re.compile(r"(UPDATE (\w+) SET .+?)\s+WHERE (.+)", re.DOTALL)
_INVOLVED: Final = re.compile(r" OR |\bNOT\b|\bUNION\b|\bEXISTS\b|\bRETURNING\b|\bCONFLICT\b")


class Kind(StrEnum):
    """What a statement does."""

    READ = "read"
    LOCK = "lock"
    ADD = "add"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a statement does, and which of its values, from 0, name the runs and approvals that it is about."""

    kind: Kind
    table: str
    keys: tuple[int, ...]


@lru_cache(maxsize=1024)
def footing(text: str) -> Footing | None:
    """How `text` stands; None where deeds may run it one after the other only, which is so when in doubt."""
    if not HARMLESS.issuperset(_FUNCTION.findall(text)):
        return None
    match text.partition(" ")[0]:
        case "SELECT":
            return _of_select(text)
        case "INSERT":
            return _of_insert(text)
        case "UPDATE":
            return _of_update(text)
        case _:
            return None


@lru_cache(maxsize=1024)
def for_many(text: str, types: tuple[str, ...]) -> str | None:
    """`text` for several sets of values at once, each value an array of its type; None where there is no such.

    A select gives the number of the set, from 1, before each row, and an update gives it for each row
    that it touched.
    """
    if not types:
        return None
    arrays = ", ".join(f"${index}::{kind}[]" for index, kind in enumerate(types, 1))
    names = ", ".join(f"p{index}" for index, _kind in enumerate(types, 1))
    sets = f"unnest({arrays}) WITH ORDINALITY AS k({names}, n)"
    moved = _PLACE.sub(r"k.p\1", text)
    if text.startswith("SELECT"):
        return " ".join((_EACH, sets + ",", f"LATERAL ({moved}) AS q"))
    if found := _INSERT.fullmatch(moved):
        return " ".join((found[1], "SELECT", found[4], "FROM", sets))
    if found := _UPDATE.fullmatch(moved):
        return " ".join((found[1], "FROM", sets, "WHERE", found[3], "RETURNING k.n"))
    return None


def _of_select(text: str) -> Footing | None:
    found = _TABLE.findall(text)
    tables = {table for table, _comma in found}
    locks = " FOR " in text
    if any(comma for _table, comma in found) or not tables <= READ | KEYED.keys():
        return None
    if tables <= READ:
        return None if locks else Footing(kind=Kind.READ, table="", keys=())
    keys = _keys(text, tables)
    if not keys or _INVOLVED.search(text):
        return None
    return Footing(kind=Kind.LOCK if locks else Kind.READ, table="", keys=keys)


def _of_insert(text: str) -> Footing | None:
    found = _INSERT.fullmatch(text)
    if found is None or found[2] not in KEYED or _INVOLVED.search(text):
        return None
    columns, values = found[3].split(", "), found[4].split(", ")
    places = [
        _PLACE.match(value)
        for column, value in zip(columns, values, strict=False)
        if column in KEYED[found[2]]
    ]
    keys = tuple(int(place[1]) - 1 for place in places if place is not None)
    if len(columns) != len(values) or len(keys) != len(places) or not keys:
        return None
    return Footing(kind=Kind.ADD, table=found[2], keys=keys)


def _of_update(text: str) -> Footing | None:
    found = _UPDATE.fullmatch(text)
    if found is None or found[2] not in KEYED or "SELECT" in text or _INVOLVED.search(text):
        return None
    keys = _keys(found[3], {found[2]})
    return Footing(kind=Kind.CHANGE, table=found[2], keys=keys) if keys else None


def _keys(text: str, tables: Iterable[str]) -> tuple[int, ...]:
    named: Sequence[tuple[str, str, str]] = _EQUAL.findall(text)
    return tuple(
        int(place) - 1
        for table, column, place in named
        if table in tables and column in KEYED.get(table, ())
    )
