"""Reads `[[monitors]]`: which runs are watched for what, and what is done about it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bot.config.lines import Path
from bot.config.notes import Notes, Raw
from engine.conditions import Condition, condition
from engine.errors import Invalid
from engine.rules.durations import parse_duration
from engine.rules.monitor import (
    TOLERANCE,
    Calls,
    Errors,
    Limit,
    Monitor,
    Overdue,
    Own,
    Then,
    Timeline,
    Watch,
)
from engine.rules.wording import is_sequence, shown

NAMES: Final = ("run", "calls", "errors", "steps", "seconds", "last", "spent")
WINDOW: Final = timedelta(hours=1)

_COMMON: Final = ("name", "watch", "workflow", "then", "every")
_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "calls": ("more_than", "within"),
    "errors": ("more_than", "within"),
    "timeline": ("expected", "steps", "tolerance"),
    "limit": ("at",),
    "overdue": ("after",),
    "condition": ("when",),
}


def read_monitors(raw: Raw, notes: Notes) -> tuple[Monitor, ...]:
    """Every `[[monitors]]`; what is wrong is noted, and left out."""
    listed = raw.get("monitors", [])
    path: Path = ("monitors",)
    if not is_sequence(listed):
        notes.add(path, "Monitors are written as a list: [[monitors]] above each of them.")
        return ()
    found: dict[str, Monitor] = {}
    for each in listed:
        monitor = _monitor(notes.table(each, path), path, notes)
        if monitor is not None and monitor.name in found:
            notes.add(path, f"Two monitors are called {shown(monitor.name)}.", value=monitor.name)
        elif monitor is not None:
            found[monitor.name] = monitor
    return tuple(found.values())


def _monitor(table: Raw, path: Path, notes: Notes) -> Monitor | None:
    before = len(notes.problems)
    name, kind = notes.text(table, path, "name"), notes.text(table, path, "watch")
    if name is None or kind is None or kind not in _OF:
        notes.add(path, f"A monitor has a name, and watch is one of {', '.join(_OF)}.", value=name)
        return None
    notes.only(table, path, (*_COMMON, *_OF[kind]))
    then = notes.text(table, path, "then") or Then.ALERT
    if then not in list(Then):
        notes.add((*path, "then"), f"then is one of {', '.join(Then)}.", value=then)
    watch = _watch(kind, table, path, notes)
    window = _duration(table, path, "every", notes) if "every" in table else _window(watch)
    if watch is None or len(notes.problems) > before:
        return None
    workflow = notes.text(table, path, "workflow")
    return Monitor(name=name, watch=watch, then=Then(then), workflow=workflow, window=window)


def _watch(kind: str, table: Raw, path: Path, notes: Notes) -> Watch | None:
    match kind:
        case "calls" | "errors":
            rule = Calls if kind == "calls" else Errors
            count = _whole(table, path, "more_than", notes, low=0)
            return rule(more_than=count, within=_duration(table, path, "within", notes))
        case "timeline":
            tolerance = "tolerance" in table
            return Timeline(
                expected=_duration(table, path, "expected", notes),
                steps=_whole(table, path, "steps", notes),
                tolerance=_whole(table, path, "tolerance", notes) if tolerance else TOLERANCE,
            )
        case "limit":
            return Limit(at=_whole(table, path, "at", notes))
        case "overdue":
            return Overdue(after=_duration(table, path, "after", notes))
        case _:
            return _own(table, path, notes)


def _window(watch: Watch | None) -> timedelta:
    """How long nothing more is said of a finding, where nobody wrote it."""
    match watch:
        case Calls() | Errors():
            return watch.within
        case Overdue():
            return watch.after
        case _:
            return WINDOW


def _own(table: Raw, path: Path, notes: Notes) -> Own | None:
    text = notes.text(table, path, "when")
    if text is None:
        notes.add(path, f"A condition needs when: CEL over {', '.join(NAMES)}.")
        return None
    try:
        compiled = condition(text, NAMES)
    except Invalid as refused:
        notes.add((*path, "when"), str(refused), value=text)
        return None
    return Own(text=text, holds=lambda facts: _holds(compiled, facts))


def _holds(compiled: Condition, facts: Mapping[str, object]) -> bool:
    """What cannot be judged of this run, because it has no such field yet, is not found in it."""
    try:
        return compiled.evaluate(facts)
    except Invalid:
        return False


def _whole(table: Raw, path: Path, key: str, notes: Notes, *, low: int = 1) -> int:
    value = table.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= 1_000_000:
        return value
    notes.add((*path, key), f"{key} is a whole number from {low}, not {shown(value)}.")
    return low


def _duration(table: Raw, path: Path, key: str, notes: Notes) -> timedelta:
    try:
        return parse_duration(str(table.get(key)))
    except Invalid as refused:
        notes.add((*path, key), f"{key}: {refused}")
        return WINDOW
