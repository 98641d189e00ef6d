"""Legal holds: what an operator keeps from being erased and pruned, until somebody releases it."""

import re
from typing import Final

from engine.errors import Invalid, NotFound
from engine.ids import PersonId, RunId, TenantId
from engine.store import audit, legal_holds, people, runs
from engine.store.database import Transaction
from engine.store.legal_holds import EVERYTHING, LegalHold, listing

__all__ = ["LegalHold", "listing", "place", "release"]

_SCOPE: Final = re.compile(r"(run|person):([A-Za-z0-9_.-]{1,200})")


def place(tx: Transaction, tenant: TenantId, scope: str, *, by: str, reason: str) -> LegalHold:
    """Keep what `scope` names as it is; one that is there already stays, with its reason.

    Raises:
        Invalid: `bad_scope`, if it is neither `tenant` nor `run:ID` nor `person:ID`.
        NotFound: if there is no such run or person.
    """
    _demand(tx, tenant, scope)
    wanted = LegalHold(scope=scope, reason=reason, placed_by=by, placed_at=tx.now)
    if legal_holds.place(tx, tenant, wanted):
        audit.append(tx, tenant, "hold.placed", {"scope": scope, "by": by, "reason": reason})
    return next(each for each in listing(tx, tenant) if each.scope == scope)


def release(tx: Transaction, tenant: TenantId, scope: str, *, by: str, reason: str) -> None:
    """Let what `scope` names be erased and pruned again.

    Raises:
        NotFound: if nothing holds it.
    """
    if not legal_holds.release(tx, tenant, scope):
        raise NotFound(f"There is no hold on {scope[:100]!a}.")
    audit.append(tx, tenant, "hold.released", {"scope": scope, "by": by, "reason": reason})


def _demand(tx: Transaction, tenant: TenantId, scope: str) -> None:
    if scope == EVERYTHING:
        return
    match = _SCOPE.fullmatch(scope)
    if match is None:
        raise Invalid(
            f"{scope[:100]!a} is no scope. Write tenant, run:ID or person:ID.", code="bad_scope"
        )
    if match[1] == "run":
        runs.get(tx, tenant, RunId(match[2]))
    else:
        people.find(tx, tenant, PersonId(match[2]))
