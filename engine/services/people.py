"""Who is who: people, the identities they are recognised by, and what they belong to."""

from engine.store.electorates import holds_role, members_of
from engine.store.people import Person, by_email, by_identity, find, listing, several

__all__ = [
    "Person",
    "by_email",
    "by_identity",
    "find",
    "holds_role",
    "listing",
    "members_of",
    "several",
]
