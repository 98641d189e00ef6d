"""The one JSON line: what was done, what was found, and whether that is enough to mean anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from bot.chaos.checker import leases
from bot.chaos.checker.leases import Drives
from bot.chaos.ground import Ground
from bot.chaos.load import Load
from bot.chaos.nemesis import Death, Nemesis, Wanted
from bot.chaos.quiet import Found

FLOOR: Final = 0.95  # of all operations, or the run says nothing
GRACE: Final = timedelta(
    seconds=5
)  # beside the lease, for the slowest takeover but one in a hundred
SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How it went. `line` is for programs, `shortfalls` say why it proves nothing."""

    line: dict[str, Any]
    violations: list[str]
    shortfalls: list[str]

    @property
    def is_well(self) -> bool:
        """Whether nothing was wrong, and enough was tried."""
        return not self.violations and not self.shortfalls


def report(ground: Ground, load: Load, nemesis: Nemesis, wanted: Wanted, found: Found) -> Report:
    """Count everything."""
    taken = takeovers(found.drives, nemesis.deaths, nemesis.away)
    raw = takeovers(found.drives, nemesis.deaths)
    late = list(leases.late_calls(found.drives, ground.target.calls))
    states: dict[str, int] = {}
    for row in found.book["runs"]:
        states[row["status"]] = states.get(row["status"], 0) + 1
    tally = load.tally
    shortfalls = _shortfalls(load, nemesis, wanted, taken, ground)
    line = {
        "runs": len(found.book["runs"]),
        "states": states,
        "entries": len(found.book["journal"]),
        "operations": {"done": dict(tally.done), "refused": dict(tally.refused)},
        "failed": dict(tally.failed),
        "tries": tally.tries,
        "stories_given_up": len(tally.lost),
        "answers": dict(ground.doors.answers),
        "succeeded": round(tally.succeeded, 4),
        "votes_acknowledged": len(tally.acked),
        "calls": len(ground.target.calls),
        "effects": ground.target.done,
        "receipts": len(set(ground.target.made)),
        "switches": len(found.drives.switched),
        "late_calls": len(late),
        "leases": sum(change.token is not None for change in found.drives.changes),
        "faults": dict(nemesis.done),
        "lives": sum(child.lives for child in ground.children),
        "takeovers": len(taken),
        "takeover_p50_s": _percentile(taken, 0.5),
        "takeover_p99_s": _percentile(taken, 0.99),
        "takeover_max_s": _percentile(taken, 1.0),
        "takeover_max_with_postgres_away_s": _percentile(raw, 1.0),
        "postgres_away_s": round(sum(until - since for since, until in nemesis.away) / 1e6, 1),
        "lease_s": wanted.lease.total_seconds(),
        "violations": len(found.violations),
        "found": found.violations[:SHOWN],
        "shortfalls": shortfalls,
    }
    return Report(line=line, violations=found.violations, shortfalls=shortfalls)


def takeovers(
    drives: Drives, deaths: Sequence[Death], away: Sequence[tuple[int, int]] = ()
) -> list[float]:
    """For each run that a killed process held: the seconds from its death to the next driver.

    While PostgreSQL is `away` nobody can take anything over; those times are left out.
    """
    found: list[float] = []
    died = {death.who: death.at for death in deaths}
    for held in leases.holds(drives).values():
        for hold, following in pairwise(held):
            at = died.get(hold.claim.who)
            if at is not None and hold.claim.at <= at and (hold.end is None or hold.end.at > at):
                to = following.claim.at
                lost = sum(max(0, min(to, until) - max(at, since)) for since, until in away)
                found.append((to - at - lost) / 1e6)
    return sorted(found)


def _percentile(values: Sequence[float], share: float) -> float | None:
    if not values:
        return None
    return round(values[min(len(values) - 1, int(share * len(values)))], 3)


def _shortfalls(
    load: Load, nemesis: Nemesis, wanted: Wanted, taken: Sequence[float], ground: Ground
) -> list[str]:
    least = {
        "worker_kills": wanted.worker_kills,
        "server_kills": wanted.server_kills,
        "postgres_kills": wanted.postgres_kills if nemesis.control is not None else 0,
        "zombies": wanted.zombies,
        "cuts": wanted.cuts,
    }
    short = [
        f"{kind}: {nemesis.done[kind]} of {number}"
        for kind, number in least.items()
        if nemesis.done[kind] < number
    ]
    if load.tally.succeeded < FLOOR:
        short.append(f"Only {load.tally.succeeded:.1%} of all operations were answered in time.")
    slowest = _percentile(taken, 0.99)
    if slowest is not None and slowest > (wanted.lease + GRACE).total_seconds():
        short.append(f"Takeovers took {slowest} s at p99.")
    if wanted.worker_kills and not taken:
        short.append("No killed worker held a run.")
    if not load.tally.done or not ground.target.calls:
        short.append("Nothing was done.")
    return short
