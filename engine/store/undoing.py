"""What a rollback would undo and what one did: read from a run's journal, newest first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.store.journal import Entry

_ENDS: Final = frozenset({"step.finished", "step.failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """One step that can be undone. `is_certain` is False when the step began and its end was lost."""

    path: str
    step: str
    undo: str  # the importable name of its compensation
    positional: tuple[object, ...]
    named: Mapping[str, object]
    result: object
    is_certain: bool


def plan(journal: Sequence[Entry]) -> list[Undo]:
    """The compensations of every begun step that has one, newest first; finished ones are left out.

    Newest is what ended last, wherever in the run it did, and before all others what has not ended.
    A step that failed is left out only if none of its attempts can have done anything: each of them
    said so, and none was lost in a crash.
    """
    begun = {entry.path: entry for entry in journal if entry.kind == "step.begun"}
    ended = {entry.path: entry for entry in journal if entry.kind == "step.finished"}
    failures: defaultdict[str | None, list[bool]] = defaultdict(list)
    for entry in journal:
        if entry.kind == "step.failed":
            failures[entry.path].append(bool(entry.data.get("no_effect")))
        elif entry.kind == "step.begun" and entry.data.get("again"):
            failures[entry.path].append(False)
    settled = {
        entry.path
        for entry in journal
        if entry.kind in {"compensation.finished", "compensation.skipped"}
    }
    found: list[Undo] = []
    for path, entry in begun.items():
        undo = entry.data.get("undo")
        if not isinstance(undo, str) or path is None or path in settled:
            continue
        if path not in ended and failures[path] and all(failures[path]):
            continue
        result = ended[path].data.get("result") if path in ended else None
        arguments: Any = entry.data["arguments"]
        found.append(
            Undo(
                path=path,
                step=entry.name or "",
                undo=undo,
                positional=tuple(arguments["args"]),
                named=arguments["kwargs"],
                result=result,
                is_certain=path in ended,
            )
        )
    last = {entry.path: entry.position for entry in journal if entry.kind in _ENDS}
    began = {path: entry.position for path, entry in begun.items()}
    never = len(journal)
    return sorted(found, key=lambda undo: (last.get(undo.path, never), began[undo.path]))[::-1]


def planned(journal: Sequence[Entry]) -> tuple[str, ...]:
    """The names of the steps that a rejection would undo now, newest first."""
    return tuple(undo.step for undo in plan(journal))


def report(journal: Sequence[Entry]) -> tuple[str, ...]:
    """One sentence for each compensation that was tried, in the order they ran."""
    if not any(entry.kind == "rollback.started" for entry in journal):
        return ()
    words = {
        "compensation.finished": "undone",
        "compensation.skipped": "left as it is",
        "compensation.stuck": "could not be undone yet",
    }
    return tuple(f"{entry.name}: {words[entry.kind]}" for entry in journal if entry.kind in words)
