"""Effects of a run of which nobody knows whether they happened, and nobody has settled them yet."""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.clock import iso
from engine.store import points
from engine.store.journal import Entry

_SETTLED: Final = frozenset({"effect.settled", "step.finished"})
_OVER: Final = frozenset(
    {"rollback.started", "run.completed", "run.failed", "run.cancelled", "run.killed"}
)


def open_in(entries: Sequence[Entry]) -> list[Entry]:
    """What says so of each, in the order in which it became known.

    A rollback counts every one of them as something that may have happened; from then on there is
    nothing to settle.
    """
    found: dict[str, Entry] = {}
    for entry in points.live(entries):
        path = entry.path or ""
        if entry.kind == "effect.unknown":
            found[path] = entry
        elif entry.kind in _SETTLED:
            found.pop(path, None)
        elif entry.kind in _OVER:
            found.clear()
    return list(found.values())


def pictures(entries: Sequence[Entry]) -> list[Mapping[str, object]]:
    """What operators are shown of each: the request id under which to look, and why nobody knows."""
    return [
        {
            "step": entry.name,
            "request_id": entry.data["request_id"],
            "attempt": entry.data["attempt"],
            "since": iso(entry.at),
            "why": entry.data["error"]["message"],
        }
        for entry in open_in(entries)
    ]
