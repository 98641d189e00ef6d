"""Workflows that people write: kept by name and version, and listed."""

from dataclasses import replace
from typing import Final

from engine.errors import Conflict, NotFound
from engine.ids import TenantId
from engine.store import audit, definitions
from engine.store.database import Transaction
from engine.store.definitions import DefinitionRow
from engine.store.runs import RunRow

__all__ = ["DefinitionRow", "add", "everybodys", "find", "listing", "of_run", "remove", "stamp"]

VERSIONS_MAX: Final = 5_000  # that one tenant keeps


def add(tx: Transaction, row: DefinitionRow) -> bool:
    """Keep `row` as the newest version of its name; whether anything changed. Its moment is this deed's.

    New runs begin with it, and those that wait go on with the version that they began with.

    Raises:
        Conflict: `too_many_definitions`, where the tenant has 5,000 versions.
    """
    known = [each for each in definitions.of_tenant(tx, row.tenant) if each.name == row.name]
    if known and known[-1].version == row.version:
        return False
    if definitions.count(tx, row.tenant) >= VERSIONS_MAX:
        raise Conflict(
            f"There are {VERSIONS_MAX} versions of definitions here. Change a workflow less often, or "
            "give what differs as input.",
            code="too_many_definitions",
        )
    definitions.put(tx, replace(row, added_at=tx.now))
    said = {"name": row.name, "version": row.version, "by": row.added_by}
    audit.append(tx, row.tenant, "definition.added", said)
    return True


def remove(tx: Transaction, tenant: TenantId, name: str, *, by: str, reason: str) -> int:
    """Keep a definition no longer: nobody starts it any more. Gives how many versions there were.

    Raises:
        NotFound: if there is none of that name. Conflict: `definition_in_use`, while a run of it has not
            ended, or another definition starts it.
    """
    known = [each for each in definitions.of_tenant(tx, tenant) if each.name == name]
    if not known:
        raise NotFound(f"There is no definition {name[:100]!a}.")
    starters = [
        row.name for row in listing(tx, tenant) if name in row.children and row.name != name
    ]
    if starters:
        raise Conflict(
            f"{', '.join(starters)} starts {name}. Change or remove that first.",
            code="definition_in_use",
        )
    if living := definitions.runs_of(tx, tenant, name):
        goes = "1 run goes" if living == 1 else f"{living} runs go"
        raise Conflict(
            f"{goes} by {name}. Let them end, or cancel them, and then remove it.",
            code="definition_in_use",
        )
    definitions.remove(tx, tenant, name)
    said = {"name": name, "versions": [row.version for row in known], "by": by, "reason": reason}
    audit.append(tx, tenant, "definition.removed", said)
    return len(known)


def listing(tx: Transaction, tenant: TenantId) -> list[DefinitionRow]:
    """The newest version of each definition, by name."""
    newest = {row.name: row for row in definitions.of_tenant(tx, tenant)}
    return list(newest.values())


def find(tx: Transaction, tenant: TenantId, name: str, version: str | None) -> DefinitionRow:
    """That version of a definition, or the newest.

    Raises:
        NotFound: if there is none.
    """
    if version is not None:
        found = definitions.get(tx, tenant, name, version)
    else:
        of_it = (row for row in listing(tx, tenant) if row.name == name)
        found = next(of_it, None)
    if found is None:
        raise NotFound(f"There is no definition {name[:100]!a} of that version.")
    return found


def of_run(tx: Transaction, row: RunRow) -> DefinitionRow | None:
    """What the run goes by; None where its workflow is code."""
    return definitions.get(tx, row.tenant, row.workflow, row.version)


def everybodys(tx: Transaction) -> list[DefinitionRow]:
    """Every version of every tenant's definitions; of each name the newest comes last."""
    return definitions.of_everybody(tx)


def stamp(tx: Transaction) -> str | None:
    """What changes with every change of any definition."""
    return definitions.stamp(tx)
