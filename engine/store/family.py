"""Trees of runs: who started whom, above and below."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.ids import RunId
from engine.rules.states import RunStatus
from engine.store.database import Transaction
from engine.store.runs import RunRow, run_of
from engine.store.statements import find, find_among
from engine.store.tables import runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One run among those that it belongs to: `above` from the root on, and everything below."""

    above: tuple[RunRow, ...] = ()
    children: Mapping[RunId, Sequence[RunRow]] = field(
        default_factory=dict[RunId, Sequence[RunRow]]
    )

    def below(self, run: RunId) -> list[dict[str, object]]:
        """What `run` started, and what that started in turn, as the API shows it."""
        return [
            {
                **named(row),
                "status": row.status,
                "path": row.parent_path,
                "children": self.below(row.id),
            }
            for row in self.children.get(run, ())
        ]


def above_each(tx: Transaction, wanted: Iterable[RunId]) -> dict[RunId, tuple[RunRow, ...]]:
    """For those of these runs that another started: the runs from the root down to each, itself too."""
    rows = find_among(tx, runs, {}, among={"id": sorted(set(wanted))})
    started = [run_of(row) for row in rows if row.parent is not None]
    return {row.id: (*of(tx, row).above, row) for row in started}


def named(row: RunRow) -> dict[str, object]:
    """How a run is named among its family."""
    return {"id": row.id, "workflow": row.workflow}


def of(tx: Transaction, row: RunRow) -> Family:
    """The family of `row`."""
    members = {each.id: each for each in [*_started(tx, row.root), row]}
    if row.parent is not None and (root := find(tx, runs, {"id": row.root})):
        members[row.root] = run_of(root[0])
    above: list[RunRow] = []
    upper = members.get(row.parent) if row.parent else None
    while upper is not None:
        above.insert(0, upper)
        upper = members.get(upper.parent) if upper.parent else None
    return Family(above=tuple(above), children=_by_parent(members.values()))


def living(tx: Transaction, row: RunRow) -> list[RunRow]:
    """The runs that `row` started itself and that have not ended."""
    return [
        each for each in _started(tx, row.root) if each.parent == row.id and each.ended_at is None
    ]


def child(tx: Transaction, run: RunId, *, lock: bool = False) -> RunRow | None:
    """A run that another started, if it is still there; with `lock` it stays as it is until this deed has ended."""
    found = find(tx, runs, {"id": run}, lock=lock)
    return run_of(found[0]) if found else None


def is_to_be_undone(status: RunStatus) -> bool:
    """Whether what a run did that ended so can still be undone: a kill never is, nor anything twice."""
    return status in {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}


def _started(tx: Transaction, root: RunId) -> list[RunRow]:
    rows = find(tx, runs, {"root": root}, order_by=("created_at", "id"))
    return [run_of(each) for each in rows]


def _by_parent(members: Iterable[RunRow]) -> dict[RunId, list[RunRow]]:
    found: dict[RunId, list[RunRow]] = {}
    for each in sorted(members, key=lambda row: (row.created_at, row.id)):
        if each.parent is not None:
            found.setdefault(each.parent, []).append(each)
    return found
