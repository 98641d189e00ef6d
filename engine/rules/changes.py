"""What an entry makes of a run's, of an approval's and of a case's state."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from engine.rules.cases import CaseStatus
from engine.rules.edges import (
    AFTER_THE_END,
    APPROVAL_EDGES,
    CASE_EDGES,
    QUIET,
    QUIET_CASES,
    RUN_EDGES,
)
from engine.rules.states import (
    ApprovalStatus,
    Edge,
    ImpossibleChange,
    RunShape,
    RunStatus,
    WaitingReason,
)

# What a driver may still write of a run that was paused meanwhile: what came of what it did before.
OUTCOMES: Final = frozenset(
    {
        "step.finished",
        "step.failed",
        "value.recorded",
        "patch.recorded",
        "compensation.finished",
        "compensation.failed",
    }
)


def apply(shape: RunShape | None, kind: str, data: Mapping[str, object]) -> RunShape:
    """The state of a run of `shape` after an entry of `kind`; None is a run not yet created.

    Where one kind leads to several states, `data["to"]` names the one meant, and the first in the
    table is meant without it. Entries of a quiet kind change nothing.

    Raises:
        ImpossibleChange: if no edge leads from here, or the run has ended; only entries in
            `AFTER_THE_END` are still possible then, and change nothing.
    """
    if shape is not None and kind in QUIET and (not shape.is_terminal or kind in AFTER_THE_END):
        return shape
    wanted = data.get("to")
    if wanted is None or isinstance(wanted, str):
        known = _named(shape, kind, wanted)
        if known is not None:
            return known
    return _behind(shape, edge_of(shape, kind, data))


def edge_of(shape: RunShape | None, kind: str, data: Mapping[str, object]) -> Edge:
    """The edge that an entry of `kind`, which is no quiet one, takes from `shape`.

    Raises:
        ImpossibleChange: if none leads from here.
    """
    fitting = [edge for edge in _leading(shape, kind) if edge.asks is None or data.get(edge.asks)]
    wanted = data.get("to")
    if len(fitting) > 1 and wanted is not None:
        fitting = [edge for edge in fitting if edge.after == wanted]
    if not fitting:
        raise ImpossibleChange(f"{kind} cannot happen to a run that is {_described(shape)}.")
    return fitting[0]


def told_of_the_end(parent: RunShape) -> str | None:
    """What is journaled in a run when one that it started has ended; None where it has itself."""
    if parent.is_terminal:
        return None
    undoes = parent == RunShape(status=RunStatus.ROLLING_BACK, reason=WaitingReason.CHILD)
    return "child.undone" if undoes else "child.ended"


@lru_cache(maxsize=1024)  # what is wanted may be any word, where a hand wrote it
def _named(shape: RunShape | None, kind: str, wanted: str | None) -> RunShape | None:
    """What an entry makes of `shape` by its kind and the state that it names; None where more of it counts."""
    edges = _leading(shape, kind)
    if not edges or any(edge.asks is not None for edge in edges):
        return None
    return _behind(shape, edge_of(shape, kind, {} if wanted is None else {"to": wanted}))


def _behind(shape: RunShape | None, edge: Edge) -> RunShape:
    kept = shape.reason if shape is not None and edge.keeps_reason else edge.reason
    return RunShape(status=edge.after, reason=kept)


@cache
def certain(shape: RunShape | None, kind: str) -> RunShape | None:
    """What an entry of `kind` makes of a run of `shape`, whatever its data say; None where they matter."""
    edges = _leading(shape, kind)
    return apply(shape, kind, {}) if len(edges) == 1 and edges[0].asks is None else None


@cache
def _leading(shape: RunShape | None, kind: str) -> tuple[Edge, ...]:
    """The edges that may be taken from `shape` by an entry of `kind`, if its data have what they ask for."""
    return tuple(edge for edge in RUN_EDGES if edge.entry_kind == kind and edge.leads_from(shape))


def change_approval(
    before: ApprovalStatus | None, kind: str, after: ApprovalStatus
) -> ApprovalStatus:
    """`after`, if an entry of `kind` may lead there; None is an approval not yet opened.

    Raises:
        ImpossibleChange: if no edge leads there.
    """
    for edge in APPROVAL_EDGES:
        fits = before in edge.before if before is not None else not edge.before
        if fits and edge.entry_kind == kind and edge.after is after:
            return after
    raise ImpossibleChange(
        f"{kind} cannot make an approval {after} that is {before or 'not yet opened'}."
    )


def change_case(before: CaseStatus | None, kind: str, after: CaseStatus) -> CaseStatus:
    """`after`, if an entry of `kind` may lead there; None is a case not yet opened.

    Raises:
        ImpossibleChange: if no edge leads there.
    """
    if before is after and kind in QUIET_CASES:
        return after
    for edge in CASE_EDGES:
        fits = before in edge.before if before is not None else not edge.before
        if fits and edge.entry_kind == kind and edge.after is after:
            return after
    raise ImpossibleChange(f"{kind} cannot make a case {after} that is {before or 'not open yet'}.")


def _described(shape: RunShape | None) -> str:
    if shape is None:
        return "not yet created"
    return f"{shape.status} ({shape.reason})" if shape.reason else str(shape.status)
