"""Which statements several deeds may run at once in one transaction, told by their text; and that text for many."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

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
# Rows come behind those that they refer to.
_ORDER: Final = tuple(KEYED)
# What such deeds read and never write: whoever writes to these is none of them.
READ: Final = frozenset(
    {"identities", "keys", "members", "meta", "people", "routings", "switches", "tenants"}
)
_EACH: Final = "SELECT k.n, q.* FROM"
HARMLESS: Final = frozenset({"signoff_now", "pg_advisory_xact_lock_shared"})

_PLACE: Final = re.compile(r"\$(\d+)")
_EQUAL: Final = re.compile(r"\b(\w+)\.(\w+) = (\$\d+)")
_AMONG: Final = re.compile(r"\b(\w+)\.(\w+) IN \(([^()]+)\)")
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
    tables: frozenset[str]
    keys: tuple[int, ...]
    columns: frozenset[str] = frozenset()  # of the keys


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement with its values, as it is asked or is to be sent soon. An empty one asks for nothing."""

    text: str
    values: Sequence[Any]

    @property
    def keys(self) -> list[str]:
        """The runs and approvals that it is about."""
        stands = footing(self.text)
        return [] if stands is None else [self.values[index] for index in stands.keys]

    def heeds(self, earlier: "Asked") -> bool:
        """Whether what `earlier` writes has to be there before this; so when in doubt."""
        mine, theirs = footing(self.text), footing(earlier.text)
        if mine is None or theirs is None:
            return True
        if mine.tables.isdisjoint(theirs.tables) or (mine.kind is theirs.kind is Kind.ADD):
            return False
        is_alike = mine.columns == theirs.columns and len(mine.columns) == 1
        return not is_alike or not set(self.keys).isdisjoint(earlier.keys)


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


def turn(asked: Asked) -> tuple[bool, int]:
    """In which order statements that do not heed each other are sent: rows before changes."""
    stands = footing(asked.text)
    places = [] if stands is None else [_ORDER.index(each) for each in stands.tables & KEYED.keys()]
    return (stands is None or stands.kind is not Kind.ADD, max(places, default=len(_ORDER)))


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
        return None if locks else Footing(kind=Kind.READ, tables=READ, keys=())
    if _INVOLVED.search(text):
        return None
    return _known(Kind.LOCK if locks else Kind.READ, frozenset(tables), _named(text, tables))


def _of_insert(text: str) -> Footing | None:
    found = _INSERT.fullmatch(text)
    if found is None or found[2] not in KEYED or _INVOLVED.search(text):
        return None
    columns, values = found[3].split(", "), found[4].split(", ")
    named = [
        (column, int(place[1]) - 1)
        for column, value in zip(columns, values, strict=False)
        if column in KEYED[found[2]] and (place := _PLACE.match(value))
    ]
    if len(columns) != len(values):
        return None
    return _known(Kind.ADD, frozenset({found[2]}), named)


def _of_update(text: str) -> Footing | None:
    found = _UPDATE.fullmatch(text)
    if found is None or found[2] not in KEYED or "SELECT" in text or _INVOLVED.search(text):
        return None
    return _known(Kind.CHANGE, frozenset({found[2]}), _named(found[3], {found[2]}))


def _known(kind: Kind, tables: frozenset[str], named: Sequence[tuple[str, int]]) -> Footing | None:
    if not named:
        return None
    columns, keys = zip(*named, strict=True)
    return Footing(kind=kind, tables=tables, keys=keys, columns=frozenset(columns))


def _named(text: str, tables: Collection[str]) -> list[tuple[str, int]]:
    found = [*_EQUAL.findall(text), *_AMONG.findall(text)]
    return [
        (column, int(place) - 1)
        for table, column, wanted in found
        if table in tables and column in KEYED.get(table, ())
        for place in _PLACE.findall(wanted)
    ]
