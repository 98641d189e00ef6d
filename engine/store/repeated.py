"""What many rows say in the same words: read once, and never changed by whoever is given it."""

import json
from collections.abc import Mapping
from functools import lru_cache

from engine.ids import PersonId
from engine.rules.approvers import Approver, parse_approver
from engine.rules.ladder import Rung, ladder_from_json


@lru_cache(maxsize=256)
def ladder(written: str) -> tuple[Rung, ...]:
    """The rungs of an approval, as its row keeps them.

    Raises:
        BadRule, ValueError: if that is no ladder.
    """
    return ladder_from_json(json.loads(written))


@lru_cache(maxsize=256)
def approvers(written: str) -> tuple[Approver, ...]:
    """Whom an approval asks, as its row keeps them."""
    return tuple(parse_approver(text) for text in json.loads(written))


@lru_cache(maxsize=256)
def persons(written: str) -> frozenset[PersonId]:
    """People, as a row keeps them."""
    return frozenset(PersonId(person) for person in json.loads(written))


@lru_cache(maxsize=256)
def routing(written: str) -> Mapping[str, object]:
    """Where an approval is shown, as its row keeps it."""
    read: Mapping[str, object] = json.loads(written)
    return read
