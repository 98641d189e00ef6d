"""What people wrote, sealed under keys of their own: a chain holds what can be read only while the key is there.

Inside, a sealed text goes wherever the text would go: into votes, journals, decisions and reasons. It is
opened where somebody is shown it, and nowhere else, so that whatever is written from it is sealed too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from sqlalchemy import update

from engine import sealing
from engine.ids import PersonId, TenantId
from engine.rules.wording import is_sequence, is_table
from engine.store import people, wrapping
from engine.store.database import Transaction
from engine.store.new_entry import Entry
from engine.store.runs import RunRow
from engine.store.statements import add, find, find_among
from engine.store.tables import subject_keys
from engine.store.votes import VoteRow

ERASED: Final = "[erased]"
UNREADABLE: Final = "[unreadable]"  # sealed under a secret that this server does not have
_MARK: Final = "sealed:1:"
_NAMED: Final = "named:1:"
# A text that ends a sentence by itself needs no full stop behind it.
_SEALED: Final = re.compile(r"sealed:1:([A-Za-z0-9_]+):([A-Za-z0-9_.]+):([A-Za-z0-9_-]+)(\.?)")
_NAME: Final = re.compile(r"named:1:([^;\s]+);")
_STOPS: Final = (".", "!", "?", "…")


def sealed(tx: Transaction, tenant: TenantId, person: PersonId, text: str, *, place: str) -> str:
    """`text`, which `person` wrote, under their key; `place` is the table, row and column that it is for."""
    key, secret = _key(tx, tenant, person)
    closed = sealing.sealed(
        secret, text.encode(), place=f"{tenant}|{place}", secret=tx.ids.secret()
    )
    return f"{_MARK}{key}:{place}:{closed}"


def comment(
    tx: Transaction, tenant: TenantId, person: PersonId, text: str | None, *, of: str
) -> str | None:
    """The comment of the row `of` as it is kept; none, and an empty one, stay what they are."""
    return sealed(tx, tenant, person, text, place=f"{of}.comment") if text else text


def named(person: str) -> str:
    """Stands for the name that people call `person` by whenever it is read."""
    return f"{_NAMED}{person};"


def is_sealed(value: Any) -> bool:
    """Whether there is anything in `value`, a text or JSON, that `opened` would read otherwise."""
    return any(True for _ in _texts(value))


def opened(tx: Transaction, tenant: TenantId, value: Any) -> Any:
    """`value`, a text or JSON, with every sealed text in it as it was written.

    What was sealed under a key that is destroyed reads `[erased]`.
    """
    found = list(_texts(value))
    if not found:
        return value
    keys = {match[1] for text in found for match in _SEALED.finditer(text)}
    names = {PersonId(match[1]) for text in found for match in _NAME.finditer(text)}
    reading = _Reading(
        tenant,
        _secrets(tx, tenant, keys),
        {person.id: person.name for person in people.several(tx, tenant, names)},
    )
    return reading.of(value)


def opened_entries(tx: Transaction, tenant: TenantId, entries: Sequence[Entry]) -> list[Entry]:
    """The entries with what people wrote in them. Their hashes are of what is stored."""
    data = opened(tx, tenant, [entry.data for entry in entries])
    return [
        entry if entry.data is said else replace(entry, data=said)
        for entry, said in zip(entries, data, strict=True)
    ]


def opened_run(tx: Transaction, row: RunRow) -> RunRow:
    """The run with what people wrote in its error and its result."""
    said = {"input": row.input, "result": row.result, "error": row.error}
    read = opened(tx, row.tenant, said)
    return row if read is said else replace(row, **read)


def opened_votes(tx: Transaction, tenant: TenantId, cast: Sequence[VoteRow]) -> list[VoteRow]:
    """The votes with their comments as they were written."""
    said = opened(tx, tenant, [vote.comment for vote in cast])
    return [
        vote if vote.comment is comment else replace(vote, comment=comment)
        for vote, comment in zip(cast, said, strict=True)
    ]


def destroy(tx: Transaction, tenant: TenantId, person: PersonId) -> list[str]:
    """Destroy every key of `person`, and give their names: what they sealed is never read again."""
    rows = find(
        tx, subject_keys, {"tenant": tenant, "person": person, "destroyed_at": None},
        order_by=("id",),
    )  # fmt: skip
    tx.connection.execute(
        update(subject_keys)
        .where(
            subject_keys.c.tenant == tenant,
            subject_keys.c.person == person,
            subject_keys.c.destroyed_at.is_(None),
        )
        .values(wrapped=None, destroyed_at=tx.now)
    )
    return [row.id for row in rows]


class _Reading:
    """Opens what is under these keys; names are read as people are called now."""

    def __init__(
        self, tenant: TenantId, secrets: "_Secrets", names: Mapping[PersonId, str]
    ) -> None:
        self._tenant, self._secrets, self._names = tenant, secrets, names

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value) if _is_marked(value) else value
        if is_table(value):
            return {name: self.of(each) for name, each in value.items()}
        if is_sequence(value):
            return [self.of(each) for each in value]
        return value

    def _text(self, text: str) -> str:
        return _NAME.sub(self._name, _SEALED.sub(self._sealed, text))

    def _name(self, match: re.Match[str]) -> str:
        return self._names.get(PersonId(match[1]), match[1])

    def _sealed(self, match: re.Match[str]) -> str:
        key, place, closed, stop = match.groups()
        if key not in self._secrets:
            return match[0]  # no key of ours: somebody else's text that only looks like it
        secret = self._secrets[key]
        if secret == ERASED:
            return ERASED + stop
        raw = None
        if isinstance(secret, bytes):
            raw = sealing.opened(secret, closed, place=f"{self._tenant}|{place}")
        text = UNREADABLE if raw is None else raw.decode()
        return text if text.endswith(_STOPS) else text + stop


def _is_marked(text: str) -> bool:
    return _MARK in text or _NAMED in text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _is_marked(value):
            yield value
    elif is_table(value):
        for each in value.values():
            yield from _texts(each)
    elif is_sequence(value):
        for each in value:
            yield from _texts(each)


def _key(tx: Transaction, tenant: TenantId, person: PersonId) -> tuple[str, bytes]:
    """The key of `person` that is in use; made, if there is none that this server's secret opens."""
    rows = find(
        tx, subject_keys, {"tenant": tenant, "person": person, "destroyed_at": None},
        order_by=("id",),
    )  # fmt: skip
    for row in reversed(rows):
        known = wrapping.unwrapped(tx, tenant, row.id, row.wrapped)
        if known is not None:
            return row.id, known
    name, secret = tx.ids.new("sbj"), sealing.key_from(tx.ids.secret())
    row = {
        "tenant": tenant,
        "id": name,
        "person": person,
        "wrapped": wrapping.wrapped(tx, tenant, name, secret),
        "made_at": tx.now,
        "destroyed_at": None,
    }
    add(tx, subject_keys, [row])
    return name, secret


# By the name of a key: what opens with it, ERASED where it was destroyed, None where this server cannot tell.
_Secrets: TypeAlias = Mapping[str, bytes | str | None]


def _secrets(tx: Transaction, tenant: TenantId, keys: set[str]) -> _Secrets:
    rows = find_among(tx, subject_keys, {"tenant": tenant}, among={"id": sorted(keys)})
    return {
        row.id: ERASED
        if row.destroyed_at is not None
        else wrapping.unwrapped(tx, tenant, row.id, row.wrapped)
        for row in rows
    }
