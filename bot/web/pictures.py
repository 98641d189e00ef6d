"""A run drawn from top to bottom: its steps, its approvals, and what was undone by which step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.web.filters import chip, duration

Json = Mapping[str, Any]

_DONE: Final = frozenset({"completed", "done"})
_ROW: Final = 38
_LABEL_CHARS_MAX: Final = 26
_RAIL_ALONE: Final = 14
_RAIL_WITH_ARCS: Final = 58
_ARC_STEP: Final = 9
_ARC_MAX: Final = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing that happened; `arc` leads from a compensation back to the step it undid."""

    y: int
    kind: str
    tone: str
    icon: str
    word: str
    label: str
    title: str
    note: str
    is_undone: bool
    arc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Marks along one rail, and the size of the drawing; texts begin at `text_x`."""

    marks: Sequence[Mark]
    rail_x: int
    text_x: int
    height: int
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    position: int
    kind: str
    name: str
    status: str
    note: str
    undoes: int | None = None


def picture(run: Json) -> Picture:
    """Draw `run` in the order of its journal; what was undone is marked, whatever undid it."""
    events = sorted(_events(run), key=lambda event: event.position)
    rows = {event.position: row for row, event in enumerate(events) if event.undoes is None}
    undone = {event.undoes for event in events if event.status in _DONE}
    rail_x = _RAIL_WITH_ARCS if any(event.undoes in rows for event in events) else _RAIL_ALONE
    marks = [
        _mark(
            event,
            row,
            is_undone=event.position in undone,
            arc="" if event.undoes not in rows else _arc(row, rows[event.undoes], rail_x),
        )
        for row, event in enumerate(events)
    ]
    return Picture(
        marks=marks,
        rail_x=rail_x,
        text_x=rail_x + 24,
        height=max(1, len(marks)) * _ROW,
        summary=", ".join(f"{mark.title}: {mark.word}" for mark in marks),
    )


def _mark(event: _Event, row: int, *, is_undone: bool, arc: str) -> Mark:
    shown = chip("undone" if is_undone else event.status)
    is_short = len(event.name) <= _LABEL_CHARS_MAX
    return Mark(
        y=row * _ROW + _ROW // 2,
        kind=event.kind,
        tone=shown.tone,
        icon=shown.icon,
        word=shown.word,
        label=event.name if is_short else f"{event.name[: _LABEL_CHARS_MAX - 1]}…",
        title=event.name,
        note=event.note,
        is_undone=is_undone,
        arc=arc,
    )


def _arc(row: int, undone_row: int, rail_x: int) -> str:
    start, end = row * _ROW + _ROW // 2, undone_row * _ROW + _ROW // 2
    reach = min(_ARC_MAX, _ARC_STEP * (row - undone_row))
    x = rail_x - 12
    return f"M{x},{start} C{x - reach},{start} {x - reach},{end} {x},{end}"


def _events(run: Json) -> list[_Event]:
    steps = [_step(step) for step in run["steps"] if step["kind"] != "compensation"]
    taken = {step.position for step in steps}
    last = max(taken, default=0)
    rollback: Json = run.get("rollback") or {}
    undos = [
        _compensation(undo, position=undo.get("position", last + order))
        for order, undo in enumerate(rollback.get("compensations", ()), start=1)
    ]
    is_told = any(step.kind == "approval" for step in steps)
    others = [
        _Event(position=other.get("position", last), kind=kind, name=name, status=status, note=kind)
        for kind, name, status, other in (
            *(("checkpoint", saved["name"], "saved", saved) for saved in run["checkpoints"]),
            *(("approval", asked["title"], asked["status"], asked) for asked in run["approvals"]),
        )
        if (other["position"] not in taken if "position" in other else not is_told)
    ]
    return steps + undos + others


def _step(step: Json) -> _Event:
    return _Event(
        position=step["position"],
        kind=step["kind"],
        name=step["name"],
        status=step["status"],
        note=duration(step["started_at"], step["ended_at"]),
    )


def _compensation(undo: Json, *, position: int) -> _Event:
    return _Event(
        position=position,
        kind="compensation",
        name=undo["name"],
        status=undo["status"],
        note="undo",
        undoes=undo.get("undoes", -1),
    )
