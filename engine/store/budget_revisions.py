"""Which state a tenant's budgets are in, as one value: whoever remembers them sees by it whether anybody changed one.

Each change gives the tenant another revision in its own transaction, made of the change and of the
revision before. So the same revision never stands for two sets of budgets, not even where one of two
changes was undone.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from engine.digest import canonical, sha256
from engine.ids import TenantId
from engine.store.database import Transaction
from engine.store.statements import add_new, change, find_one
from engine.store.tables import budget_revisions, runs

OF_RUNS: Final = "run:"  # what scopes of single runs begin with: there may be as many as runs

# For whoever locks a run: the revision of its tenant's budgets at that moment, or NULL.
OF_THE_RUN: Final = (
    select(budget_revisions.c.revision)
    .where(budget_revisions.c.tenant == runs.c.tenant)
    .correlate(runs)
    .scalar_subquery()
    .label("budgets")
)


def hold(tx: Transaction, tenant: TenantId) -> str:
    """The revision, empty before the first; nobody else changes a budget before this deed has ended."""
    add_new(tx, budget_revisions, {"tenant": tenant, "revision": ""})
    revision: str = find_one(tx, budget_revisions, {"tenant": tenant}, lock=True).revision
    return revision


def renew(
    tx: Transaction, tenant: TenantId, held: str, said: Mapping[str, object], *, is_of_runs: bool
) -> None:
    """Have a change, which is `said`, give the budgets another revision than the one `held`.

    `is_of_runs` says that some run has a budget of its own, or had.
    """
    made = sha256(canonical([held, said]))
    revision = f"{OF_RUNS}{made}" if is_of_runs else made
    change(tx, budget_revisions, {"tenant": tenant}, {"revision": revision})


def has_some_of_runs(revision: str) -> bool:
    """Whether single runs may have budgets of their own: they are asked for each time."""
    return revision.startswith(OF_RUNS)
