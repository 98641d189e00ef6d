"""Legal holds as rows: what must be neither erased nor pruned, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete

from engine.clock import iso
from engine.ids import PersonId, RunId, TenantId
from engine.store.database import Transaction
from engine.store.statements import add_new, find
from engine.store.tables import legal_holds

EVERYTHING: Final = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """One hold. `scope` is `tenant`, `run:ID` or `person:ID`."""

    scope: str
    reason: str
    placed_by: str
    placed_at: datetime

    def to_json(self) -> dict[str, object]:
        """The hold as the API shows it."""
        return {
            "scope": self.scope,
            "reason": self.reason,
            "placed_by": self.placed_by,
            "placed_at": iso(self.placed_at),
        }


def place(tx: Transaction, tenant: TenantId, hold: LegalHold) -> bool:
    """Store a hold; False where there is one of that scope already, which stays as it is."""
    row = {
        "tenant": tenant,
        "scope": hold.scope,
        "reason": hold.reason,
        "placed_by": hold.placed_by,
        "placed_at": hold.placed_at,
    }
    return add_new(tx, legal_holds, row)


def release(tx: Transaction, tenant: TenantId, scope: str) -> bool:
    """Take a hold away; False where there is none."""
    done = tx.connection.execute(
        delete(legal_holds).where(legal_holds.c.tenant == tenant, legal_holds.c.scope == scope)
    )
    return done.rowcount > 0


def listing(tx: Transaction, tenant: TenantId) -> list[LegalHold]:
    """The holds of a tenant, in the order of their scopes."""
    rows = find(tx, legal_holds, {"tenant": tenant}, order_by=("scope",))
    return [
        LegalHold(
            scope=row.scope, reason=row.reason, placed_by=row.placed_by, placed_at=row.placed_at
        )
        for row in rows
    ]


def of_run(run: RunId) -> str:
    """The scope of one run's hold."""
    return f"run:{run}"


def of_person(person: PersonId) -> str:
    """The scope of one person's hold."""
    return f"person:{person}"
