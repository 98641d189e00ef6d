"""A line of a journal: before it has a position, and as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.clock import iso
from engine.ids import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What happened, before it has a position. `path` is the call path of what the code asked for."""

    kind: str
    name: str | None = None
    path: str | None = None
    data: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a journal, as stored."""

    run: RunId
    position: int
    kind: str
    name: str | None
    path: str | None
    data: Mapping[str, Any]
    at: datetime
    previous: str
    hash: str

    def to_json(self) -> dict[str, object]:
        """The entry as `GET /api/runs/{id}/journal` shows it."""
        return {
            "position": self.position,
            "kind": self.kind,
            "name": self.name,
            "path": self.path,
            "data": self.data,
            "at": iso(self.at),
            "hash": self.hash,
            "previous": self.previous,
        }
