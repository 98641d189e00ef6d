"""Every change of a run's state, read from its journal: from what to what, why, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.clock import iso
from engine.rules.changes import apply, edge_of
from engine.rules.states import RunShape
from engine.store.journal import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of state, by the entry that caused it. `by` is nobody where the run did it itself, or time.

    `checkpoint` is the newest one before it, which has the run's whole state.
    """

    entry: Entry
    says: str
    before: RunShape | None
    after: RunShape
    by: tuple[str, ...]
    checkpoint: str | None

    def to_json(self) -> dict[str, object]:
        """The change as `GET /api/runs/{id}/changes` shows it."""
        data = self.entry.data
        return {
            "position": self.entry.position,
            "at": iso(self.entry.at),
            "kind": self.entry.kind,
            "name": self.entry.name,
            "says": self.says,
            "before": None if self.before is None else _shape(self.before),
            "after": _shape(self.after),
            "by": list(self.by),
            "reason": data.get("reason") or data.get("comment"),
            "approval": data.get("approval"),
            "checkpoint": self.checkpoint,
        }


def transitions(entries: Sequence[Entry]) -> list[Transition]:
    """The changes of state in these entries, which are a journal from its beginning.

    Raises:
        ImpossibleChange: if it is none.
    """
    found: list[Transition] = []
    shape: RunShape | None = None
    checkpoint: str | None = None
    for entry in entries:
        after = apply(shape, entry.kind, entry.data)
        if after != shape:
            found.append(
                Transition(
                    entry=entry,
                    says=edge_of(shape, entry.kind, entry.data).says,
                    before=shape,
                    after=after,
                    by=_by(entry),
                    checkpoint=checkpoint,
                )
            )
        if entry.kind == "checkpoint.created":
            checkpoint = entry.name
        shape = after
    return found


def _by(entry: Entry) -> tuple[str, ...]:
    said = entry.data.get("by") or entry.data.get("started_by") or ()
    return (said,) if isinstance(said, str) else tuple(map(str, said))


def _shape(shape: RunShape) -> dict[str, object]:
    return {"status": str(shape.status), "reason": shape.reason and str(shape.reason)}
