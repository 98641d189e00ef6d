"""Erasing a person: whatever says who they are or holds what they wrote is gone, and every chain still holds."""

from dataclasses import dataclass
from typing import Final

from engine.errors import Conflict, Refused
from engine.ids import ApprovalId, PersonId, RunId, TenantId
from engine.store import answerable, approvals, audit, erasing, legal_holds, people
from engine.store.answerable import Nearest
from engine.store.database import Transaction
from engine.store.erasing import Erased, erased
from engine.store.legal_holds import EVERYTHING

__all__ = ["Erased", "Erasure", "erase", "erased"]

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What became of it: the names of the keys that are destroyed; none the second time."""

    person: PersonId
    keys: tuple[str, ...]
    is_new: bool


def erase(tx: Transaction, tenant: TenantId, person: PersonId, *, by: str, reason: str) -> Erasure:
    """Erase `person`: name, addresses, identities, sessions, and the key of all that they wrote.

    Their id, the times and choices of their votes, and every hash stay. The audit says that it was
    done, by whom and why, and not to whom. Once erased, an id is nobody's again. The same again
    changes nothing.

    Raises:
        NotFound: if there is no such person.
        Refused: `legal_hold`, while a hold is on them, on a run in which they voted, or on all.
        Conflict: `still_needed`, while an approval asks them, or a run in which they voted has not
            ended: what they said is still read there.
    """
    people.find(tx, tenant, person)
    if erasing.is_erased(tx, tenant, person):
        return Erasure(person=person, keys=(), is_new=False)
    _demand_no_hold(tx, tenant, person)
    _demand_not_needed(tx, tenant, person)
    keys = erasing.erase(tx, tenant, person)
    # The reason is the operator's own words, and must not say who it was either.
    audit.append(tx, tenant, "person.erased", {"keys": keys, "by": by, "reason": reason})
    return Erasure(person=person, keys=tuple(keys), is_new=True)


def _demand_no_hold(tx: Transaction, tenant: TenantId, person: PersonId) -> None:
    held = {hold.scope for hold in legal_holds.listing(tx, tenant)}
    if not held:
        return
    voted = [approvals.get(tx, tenant, each).run for each in erasing.voted_in(tx, tenant, person)]
    kept_by = {EVERYTHING, legal_holds.of_person(person), *map(legal_holds.of_run, voted)}
    if found := sorted(held & kept_by):
        raise Refused(
            f"A legal hold keeps it: {', '.join(found[:_SHOWN])}. `signoff hold release` first, if "
            "you may.",
            code="legal_hold",
        )


def _demand_not_needed(tx: Transaction, tenant: TenantId, person: PersonId) -> None:
    asked = answerable.nearest(tx, tenant, person, Nearest(limit=_SHOWN))
    goes_on: list[ApprovalId | RunId] = [row.id for row in asked]
    goes_on += erasing.spoken_for(tx, tenant, person)
    if goes_on:
        raise Conflict(
            f"{person} is still needed: {', '.join(goes_on[:_SHOWN])}. Take them out of their groups, "
            "so that nobody asks them any more, and let the runs in which they voted end.",
            code="still_needed",
        )
