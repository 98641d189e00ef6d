"""Who is meant where a journal says `person:ana`, `key:…` or `local`: the names that people know."""

from collections.abc import Iterable, Mapping

from engine.ids import KeyId, PersonId, TenantId
from engine.store import keys, people
from engine.store.database import Transaction

THEMSELVES: Mapping[str, str] = {"local": "This machine", "workflow": "the workflow"}


def names_of(tx: Transaction, tenant: TenantId, subjects: Iterable[str]) -> dict[str, str]:
    """What each of `subjects` is called; whoever is unknown is left out. A bare id is a person's."""
    wanted = set(subjects)
    bare = {subject: subject.removeprefix("person:") for subject in wanted}
    persons = {subject: PersonId(id) for subject, id in bare.items() if ":" not in id}
    asked = {subject: KeyId(subject[4:]) for subject in wanted if subject.startswith("key:")}
    people_known = {each.id: each.name for each in people.several(tx, tenant, persons.values())}
    keys_known = {each.id: each.name for each in keys.several(tx, tenant, asked.values())}
    found = {subject: people_known[id] for subject, id in persons.items() if id in people_known}
    found |= {subject: keys_known[id] for subject, id in asked.items() if id in keys_known}
    return found | {subject: THEMSELVES[subject] for subject in wanted & THEMSELVES.keys()}


def name_of(tx: Transaction, tenant: TenantId, subject: str) -> str:
    """What one subject is called; where nobody knows, the id of a person, and others as they are written."""
    return names_of(tx, tenant, [subject]).get(subject, subject.removeprefix("person:"))
