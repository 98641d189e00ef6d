"""Which runs stand above a run: who started it, who started that one, and so on to the root."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from engine.ids import RunId
from engine.store.database import Transaction
from engine.store.statements import Among
from engine.store.tables import runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Upper:
    """A run above another one, as far as switches and budgets ask for it."""

    id: RunId
    workflow: str


Above = tuple[Upper, ...]  # the one that started it first, the root last; for a root itself nothing

_NAMED: Final = Among(select(runs.c.id, runs.c.workflow, runs.c.parent), runs.c.id)


def of(tx: Transaction, parent: str | None) -> Above:
    """Those above a run that `parent` started."""
    return of_each(tx, [parent])[parent] if parent is not None else ()


def of_each(tx: Transaction, parents: Iterable[str | None]) -> Mapping[str | None, Above]:
    """The same for several, by `parent`; one question for each generation, none for roots."""
    wanted = {parent for parent in parents if parent is not None}
    known: dict[str, tuple[Upper, str | None]] = {}
    asked: set[str] = wanted
    while asked:
        above: set[str] = set()
        for row in _NAMED.rows(tx, sorted(asked)):
            known[row.id] = (Upper(id=RunId(row.id), workflow=row.workflow), row.parent)
            if row.parent is not None:
                above.add(str(row.parent))
        asked = above - known.keys()
    return {None: (), **{each: _up(known, each) for each in wanted}}


def _up(known: Mapping[str, tuple[Upper, str | None]], begin: str) -> Above:
    found: list[Upper] = []
    at: str | None = begin
    while at is not None and at in known and len(found) <= len(known):
        upper, at = known[at]
        found.append(upper)
    return tuple(found)
