"""Checkpoints as people compare them and carry them about: what is in each, and what changed in between."""

import json
from collections.abc import Mapping
from typing import Any, Final

from engine.digest import canonical, sha256
from engine.errors import Invalid
from engine.ids import RunId, TenantId
from engine.rules.differences import Difference, difference
from engine.store import artifacts, checkpoints, journal, points, runs
from engine.store.database import Transaction

# They differ between any two checkpoints, and say nothing about the work.
_ALWAYS: Final = frozenset({"id", "at", "checkpoint"})


def listed(tx: Transaction, tenant: TenantId, run: RunId) -> list[Mapping[str, object]]:
    """The run's checkpoints, oldest first: their addresses, what they take, and whether the run can go back there.

    Raises:
        NotFound: if there is no such run.
    """
    runs.get(tx, tenant, run)
    found = checkpoints.of(tx, run)
    sizes = artifacts.sizes(tx, tenant, {str(each["artifact"]) for each in found})
    live = {point.position for point in points.checkpoints(journal.entries(tx, run))}
    return [
        {
            **each,
            "id": f"{run}@{each['position']}",
            "uri": f"artifact:{each['artifact']}",
            "stored_bytes": sizes.get(str(each["artifact"])),
            "is_live": each["position"] in live,
        }
        for each in found
    ]


def snapshot_of(tx: Transaction, tenant: TenantId, run: RunId, name: str) -> Mapping[str, Any]:
    """What the newest checkpoint of that name keeps, proved against its address.

    Raises:
        NotFound: if there is no such run. Invalid: `unknown_checkpoint`. Fault: if it was damaged.
    """
    runs.get(tx, tenant, run)
    found = [
        each for each in checkpoints.of(tx, run) if name in {each["name"], str(each["position"])}
    ]
    if not found:
        names = ", ".join(str(each["name"]) for each in checkpoints.of(tx, run)) or "none"
        raise Invalid(
            f"Run {run} has no checkpoint {name!r}; it has: {names}.", code="unknown_checkpoint"
        )
    kept = artifacts.get(tx, tenant, str(found[-1]["artifact"]))
    found_there: Mapping[str, Any] = json.loads(kept.content)
    return found_there


def compare(tx: Transaction, tenant: TenantId, run: RunId, before: str, after: str) -> Difference:
    """What changed between two checkpoints of one run, by name or position.

    Raises:
        NotFound, Invalid, Fault: as `snapshot_of`.
    """
    was, now = (_work(snapshot_of(tx, tenant, run, name)) for name in (before, after))
    return difference(was, now)


def import_snapshot(
    tx: Transaction, tenant: TenantId, snapshot: Mapping[str, Any], *, address: str | None
) -> str:
    """Keep a snapshot that was exported elsewhere; gives its address, which is the one it had there.

    Raises:
        Invalid: `bad_snapshot`, if `address` is another one: then it was changed since.
    """
    content = canonical(snapshot)
    found = sha256(content)
    if address is not None and address.removeprefix("artifact:") != found:
        raise Invalid(
            f"This snapshot is {found}, not {address}: it was changed since it was exported.",
            code="bad_snapshot",
        )
    return artifacts.put(tx, tenant, content, "application/json")


def _work(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in snapshot.items() if key not in _ALWAYS}
