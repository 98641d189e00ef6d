"""Trees of runs: who started whom, above and below."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run stands in its tree: the runs from the root down to it, and the children beside it.

    Of a run that nobody started they are its own. `of` is whose children they are.
    """

    path: tuple[RunRow, ...]
    of: str
    done: int
    all: int

    def tree_json(self) -> list[dict[str, object]]:
        """The way to the run, itself included, as the API shows it; nothing where it is the root."""
        return [named(row) for row in self.path] if len(self.path) > 1 else []

    def children_json(self) -> dict[str, object]:
        """How many of them have completed, as the API shows it."""
        return {"of": self.of, "done": self.done, "all": self.all}


def place_of_each(tx: Transaction, related: Collection[RunId]) -> dict[RunId, Place]:
    """The places of these runs, each of which another started, or started others."""
    rows = [run_of(row) for row in find_among(tx, runs, {}, among={"id": sorted(related)})]
    return {row.id: _place(row, of(tx, row)) for row in rows}


def _place(row: RunRow, family: Family) -> Place:
    upper = family.above[-1] if family.above else row
    children = family.children.get(upper.id, ())
    done = sum(each.status is RunStatus.COMPLETED for each in children)
    path = (*family.above, row)
    return Place(path=path, of=upper.workflow, done=done, all=len(children))


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
