"""The words of which the hash of a journal's entry is made."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from engine.clock import iso
from engine.digest import Spelled, canonical, quoted, sha256
from engine.ids import RunId
from engine.rules.accounts import WITHHELD
from engine.store.new_entry import NewEntry


def spelled(
    run: str,
    position: int,
    named: tuple[str, str | None, str | None],
    *,
    data: str,
    at: str,
    previous: str,
) -> str:
    """The words of which an entry's hash is made; `named` are its kind, its name and its path.

    Written out in RFC 8785's key order, so that `data` is spelled once and its stored bytes are hashed.
    """
    return (
        f'{{"at":"{at}","data":{data},{told(*named)}{position},'
        f'"previous":"{previous}","run":"{run}"}}'
    )


@lru_cache(maxsize=4096)
def told(kind: str, name: str | None, path: str | None) -> str:
    """What stands between an entry's data and its position: few kinds, names and paths go together."""
    # A hand may have stored bytes; what is spelled of them is no entry's.
    said = [quoted(each if each is None else str(each)) for each in (kind, name, path)]
    return f'"kind":{said[0]},"name":{said[1]},"path":{said[2]},"position":'


def line_of(
    run: RunId, position: int, entry: NewEntry, *, at: datetime, previous: str
) -> dict[str, object]:
    """The row of the journal that `entry` is at this position, without its tenant."""
    data = _data(entry.data)
    named = (entry.kind, entry.name, entry.path)
    text = spelled(run, position, named, data=data, at=iso(at), previous=previous)
    return {
        "run": run,
        "position": position,
        "kind": entry.kind,
        "name": entry.name,
        "path": entry.path,
        "data": data,
        "at": at,
        "previous": previous,
        "hash": sha256(text.encode()),
    }


def _data(data: Mapping[str, object]) -> str:
    """The canonical spelling; what is known of it already is not spelled again."""
    if isinstance(data, Spelled):
        return data.text
    withheld = data.get(WITHHELD)
    if not isinstance(withheld, Spelled) or len(data) == 1 or max(data) != WITHHELD:
        return canonical(data).decode()
    # Its name comes after every other, as it does in RFC 8785.
    before = dict(data)
    del before[WITHHELD]
    return f'{canonical(before).decode()[:-1]},"{WITHHELD}":{withheld.text}}}'
