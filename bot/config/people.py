"""Reads people, and the groups and roles they belong to."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from bot.config.lines import Path
from bot.config.notes import NAMES, Notes, Raw, called
from engine.ids import PersonId
from engine.rules.approvers import is_email, is_name, is_slack
from engine.rules.wording import shown
from engine.store.directory import ListedPerson

ROLES: Final = ("operator",)  # those that mean something by themselves; others only name approvers

_KEYS: Final = ("name", "email", "slack", "timezone", "hours", "manager")
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_TIME: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS: Final = re.compile(
    rf"{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)* (?P<since>{_TIME})-(?P<until>{_TIME}|24:00)"
)


def read_people(raw: Raw, notes: Notes) -> tuple[ListedPerson, ...]:
    """Everybody in `[people.…]`; what is wrong with them is noted."""
    tables = {name: (table, path) for name, table, path in notes.tables(raw, "people")}
    people = tuple(
        _person(PersonId(name), table, path, notes) for name, (table, path) in tables.items()
    )
    for person in people:
        _check_manager(person, tables.keys(), notes)
    _check_shared(people, "email", notes)
    _check_shared(people, "slack", notes)
    return people


def read_groups(
    raw: Raw, people: Collection[str], notes: Notes
) -> Mapping[str, frozenset[PersonId]]:
    """The members of every `[groups.…]`."""
    groups: dict[str, frozenset[PersonId]] = {}
    for name, table, path in notes.tables(raw, "groups"):
        notes.only(table, path, ("members",))
        if "members" not in table:
            notes.add(path, f"{called(path)} has no members. Write members = [] for nobody.")
        groups[name] = _known(table.get("members", []), people, (*path, "members"), notes)
    return groups


def read_roles(
    raw: Raw, people: Collection[str], notes: Notes
) -> Mapping[str, frozenset[PersonId]]:
    """Who holds each role of `[roles]`; a name that is nearly `operator` is a mistake."""
    table = notes.table(raw.get("roles", {}), ("roles",))
    for name in table:
        if not is_name(name):
            notes.add(("roles", name), f"{shown(name)} cannot be a name. {NAMES}")
    nearly = [name for name in table if name not in ROLES and _is_nearly_a_role(name)]
    for name in nearly:
        notes.add(
            ("roles", name), f"{shown(name)} is nearly the role `operator`. Write `operator`."
        )
    return {
        name: _known(persons, people, ("roles", name), notes)
        for name, persons in table.items()
        if name not in nearly
    }


def _person(id: PersonId, raw: Raw, path: Path, notes: Notes) -> ListedPerson:
    notes.only(raw, path, _KEYS)
    texts = {key: notes.text(raw, path, key) for key in _KEYS}
    if "name" not in raw:
        notes.add(path, f'{called(path)} has no name. Write name = "Ana Diaz".')
    for key, check in _CHECKS.items():
        value = texts[key]
        if value is not None and (refusal := check(value)):
            notes.add((*path, key), f"{key} is {shown(value)}; {refusal}")
            texts[key] = None
    manager = texts["manager"]
    return ListedPerson(
        id=id,
        name=texts["name"] or id,
        email=None if texts["email"] is None else texts["email"].lower(),
        slack=texts["slack"],
        timezone=texts["timezone"],
        hours=texts["hours"],
        manager=None if manager is None else PersonId(manager),
    )


def _check_manager(person: ListedPerson, people: Collection[str], notes: Notes) -> None:
    path = ("people", person.id, "manager")
    if person.manager == person.id:
        notes.add(path, f"{person.id} cannot be their own manager.")
    elif person.manager is not None and person.manager not in people:
        notes.add(path, _unknown(person.manager, people))


def _check_shared(people: Collection[ListedPerson], kind: str, notes: Notes) -> None:
    first: dict[str, str] = {}
    for person in people:
        value = person.email if kind == "email" else person.slack
        if value is None:
            continue
        owner = first.setdefault(_mailbox(value), person.id)
        if owner != person.id:
            notes.add(
                ("people", person.id, kind),
                f"{kind} {value} belongs to {owner} already. Nobody can be two people.",
            )


def _mailbox(address: str) -> str:
    # What follows a plus only sorts somebody's mail: with two such addresses one person would vote twice.
    local, at, domain = address.partition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _known(raw: object, people: Collection[str], path: Path, notes: Notes) -> frozenset[PersonId]:
    named = notes.texts(raw, path)
    for name in named:
        if name not in people:
            notes.add(path, _unknown(name, people), value=name)
    return frozenset(PersonId(name) for name in named if name in people)


def _unknown(name: str, people: Collection[str]) -> str:
    possible = ", ".join(sorted(people)[:20]) or "nobody yet"
    return f"There is no [people.*] called {shown(name)}. There are {possible}."


def _is_nearly_a_role(name: str) -> bool:
    return bool(get_close_matches(name.lower(), (*ROLES, "admin"), n=1, cutoff=0.8))


def _email(text: str) -> str | None:
    return None if is_email(text.lower()) else "write an address as in ana@example.com."


def _slack(text: str) -> str | None:
    return None if is_slack(text) else "write team and user as in T0123/U0AAA."


def _timezone(text: str) -> str | None:
    try:
        ZoneInfo(text)
    except (OSError, KeyError, ValueError):
        return "write a time zone as in Europe/Madrid."
    return None


def _hours(text: str) -> str | None:
    found = _HOURS.fullmatch(text)
    if found is None or found["since"] >= found["until"]:
        return "write days and times as in Mon-Fri 09:00-17:30."
    return None


_CHECKS: Final = {"email": _email, "slack": _slack, "timezone": _timezone, "hours": _hours}
