"""A run drawn from top to bottom: its steps, its approvals, and what was undone by which step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.web.filters import chip
from bot.web.moments import duration

Json = Mapping[str, Any]

_DONE: Final = frozenset({"finished"})
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


def picture(run: Json) -> Picture:
    """Draw `run` in the order of its journal; what was undone is marked, and says what undid it."""
    events = sorted((_event(step) for step in run["steps"]), key=lambda event: event.position)
    undone = _undone(events)
    rail_x = _RAIL_WITH_ARCS if undone else _RAIL_ALONE
    done = {undone[row] for row in undone if events[row].status in _DONE}
    became = "rehearsed" if run.get("sandbox") else "undone"
    marks = [
        _mark(
            event,
            row,
            became=became if row in done else None,
            arc=_arc(row, undone[row], rail_x) if row in undone else "",
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


def _undone(events: Sequence[_Event]) -> dict[int, int]:
    """The row of every compensation, with the row of the newest step of its name not yet undone."""
    found: dict[int, int] = {}
    for row, event in enumerate(events):
        if event.kind != "compensation":
            continue
        steps = (
            before
            for before in range(row - 1, -1, -1)
            if events[before].kind == "step"
            and events[before].name == event.name
            and before not in found.values()
        )
        if (step := next(steps, None)) is not None:
            found[row] = step
    return found


def _event(step: Json) -> _Event:
    kind = str(step["kind"])
    note = "undo" if kind == "compensation" else duration(step["started_at"], step["ended_at"])
    return _Event(
        position=step["position"],
        kind=kind,
        name=str(step["name"]),
        status=str(step["status"]),
        note=kind if kind in {"approval", "checkpoint", "sleep"} else note,
    )


def _mark(event: _Event, row: int, *, became: str | None, arc: str) -> Mark:
    shown = chip(became or event.status)
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
        is_undone=became == "undone",
        arc=arc,
    )


def _arc(row: int, undone_row: int, rail_x: int) -> str:
    start, end = row * _ROW + _ROW // 2, undone_row * _ROW + _ROW // 2
    reach = min(_ARC_MAX, _ARC_STEP * (row - undone_row))
    x = rail_x - 12
    return f"M{x},{start} C{x - reach},{start} {x - reach},{end} {x},{end}"
