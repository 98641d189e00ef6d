"""Figures out of measurements: medians and tails, memory, and processor time."""

import os
import resource
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

Figures = dict[str, object]

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def summary(taken: Sequence[float]) -> Figures:
    """The median and the tail of `taken`, in milliseconds; the seconds are given."""
    ordered = sorted(taken)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 2)

    return {"probes": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}


def rss_mb(pid: int | None = None) -> float | None:
    """Resident memory of a process, this one unless given; None where the system does not tell."""
    try:
        pages = int(_of(pid or os.getpid(), "statm").split()[1])
    except OSError:
        return None
    return round(pages * resource.getpagesize() / 1e6, 1)


def grown(before: float | None, after: float | None) -> float | None:
    """How much `after` is more than `before`."""
    return None if before is None or after is None else round(after - before, 1)


def server_cpu_s(backend: int) -> float | None:
    """Processor seconds of the PostgreSQL whose process `backend` is; None if it runs elsewhere."""
    try:
        if not _of(backend, "comm").startswith("postgres"):
            return None
        postmaster = int(_stat(backend)[1])
        # Of those that have ended, their parent keeps the sum.
        ended = sum(int(ticks) for ticks in _stat(postmaster)[11:15])
        return (ended + sum(_own_ticks(postmaster))) / _TICKS
    except (OSError, IndexError, ValueError):
        return None


def _own_ticks(parent: int) -> Iterable[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = _stat(int(process.name))
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == parent:
            yield int(fields[11]) + int(fields[12])


def _stat(pid: int) -> list[str]:
    """The fields behind the name: state, parent, and from the eleventh on the ticks."""
    return _of(pid, "stat").rpartition(")")[2].split()


def _of(pid: int, what: str) -> str:
    return Path(f"/proc/{pid}/{what}").read_text(encoding="utf-8")
