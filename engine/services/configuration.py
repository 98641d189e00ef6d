"""Brings what `signoff.toml` says of people and routes into the store."""

from engine.ids import TenantId
from engine.store import audit, directory, erasing, listed_budgets, sessions, sign_ins
from engine.store.database import Transaction
from engine.store.directory import Difference, Directory, ListedPerson

__all__ = ["Difference", "Directory", "ListedPerson", "apply"]


def apply(tx: Transaction, tenant: TenantId, listed: Directory) -> Difference:
    """Make the store say what the file says, and give what that changed.

    The same again changes nothing. What the file said before and says no longer is removed; people
    are disabled, not deleted, and signed out. What the API added stays. A change is one entry of
    the audit chain. Whoever was erased is not brought back by a file that still names them.

    Raises:
        Conflict: `identity_taken`, if an active person who is not in the file holds an identity
            that is.
    """
    listed = directory.without(listed, {each.person for each in erasing.erased(tx, tenant)})
    difference = (
        directory.write_people(tx, tenant, listed.people)
        + directory.write_identities(tx, tenant, listed.people)
        + directory.write_members(tx, tenant, listed)
        + directory.write_routings(tx, tenant, listed.routes)
        + listed_budgets.write_budgets(tx, tenant, listed.budgets)
    )
    sessions.end_of_disabled(tx, tenant)
    sign_ins.forget_disabled(tx, tenant)
    if not difference.is_empty:
        directory.count_anew(tx)
        audit.append(
            tx,
            tenant,
            "configuration.applied",
            {
                "added": list(difference.added),
                "changed": list(difference.changed),
                "removed": list(difference.removed),
            },
        )
    return difference
