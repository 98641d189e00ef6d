"""Giving people to slots so that as many slots as possible are filled."""

from collections.abc import Collection, Mapping

from engine.ids import PersonId


def fill(
    slots: Mapping[str, int], candidates: Mapping[PersonId, Collection[str]]
) -> dict[str, tuple[PersonId, ...]]:
    """Who fills which slot, when as many places as possible are filled.

    `slots` says how many places each slot has, `candidates` which slots each person may fill. A
    person fills one place. The order in which either was handed in does not matter: names
    are taken in alphabetical order, and of several best answers it is always the same one.
    """
    holders: dict[str, list[PersonId]] = {slot: [] for slot in sorted(slots)}
    for person in sorted(candidates):
        _place(person, slots, candidates, holders, set())
    return {slot: tuple(sorted(people)) for slot, people in holders.items()}


def _place(
    person: PersonId,
    slots: Mapping[str, int],
    candidates: Mapping[PersonId, Collection[str]],
    holders: dict[str, list[PersonId]],
    tried: set[str],
) -> bool:
    # Kuhn's augmenting path. `tried` keeps each slot to one visit, so the recursion is at most as
    # deep as there are slots; quorums name at most twenty.
    for slot in sorted(candidates[person]):
        if slot in tried or slots.get(slot, 0) < 1:
            continue
        tried.add(slot)
        if len(holders[slot]) < slots[slot]:
            holders[slot].append(person)
            return True
        for holder in holders[slot]:
            if _place(holder, slots, candidates, holders, tried):
                holders[slot].remove(holder)
                holders[slot].append(person)
                return True
    return False
