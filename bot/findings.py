"""What was found when a start was looked at beforehand: each thing with how bad it is and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error keeps the server from starting, or from being safe."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `mend` says what to do, and is empty where nothing is."""

    level: Level
    text: str
    mend: str = ""


def ok(text: str, mend: str = "") -> Finding:
    """Something that is as it should be."""
    return Finding(level=Level.OK, text=text, mend=mend)


def warning(text: str, mend: str) -> Finding:
    """Something that works, and that somebody should look at."""
    return Finding(level=Level.WARNING, text=text, mend=mend)


def error(text: str, mend: str = "") -> Finding:
    """Something that keeps the server from starting, or from being safe."""
    return Finding(level=Level.ERROR, text=text, mend=mend)
