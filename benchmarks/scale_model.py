"""Says how far one PostgreSQL carries Signoff, from what one run and one idle worker were measured to cost.

    .venv/bin/python benchmarks/scale_model.py

Reads `results/constants.json`, writes `results/scale.json` and the picture of docs/scaling.md.
"""

import heapq
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
CONSTANTS: Final = HERE / "results" / "constants.json"
RESULT: Final = HERE / "results" / "scale.json"
PICTURE: Final = HERE.parent / "docs" / "pictures" / "scaling.svg"

WORKERS: Final = (1, 2, 5, 10, 20, 50, 100)
WAITING: Final = (10_000, 100_000, 1_000_000, 10_000_000)
WAITS_S: Final = 86_400.0  # how long a run waits for people, on average
POOL: Final = 17  # connections that a process holds at most: 12 write, 4 read, one listens
TOLD_A_SECOND: Final = 100  # notifications that a process sends at most: those of 10 ms go together
RENEWALS_S: Final = 0.1  # of a worker's leases: one write every ten seconds for all that it holds
MAX_CONNECTIONS: Final = 500  # what a server with 16 GB is commonly set to
HEARD_S: Final = 20_000  # notifications that a process can hear in a second, 50 us each
STATEMENTS_S: Final = 30_000  # small statements that a server of eight cores takes

Costs = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What was measured: a run's way to its approval and to its end, and a second of an idle worker."""

    to_wait: Costs
    to_end: Costs
    idle: Costs
    commits_s: float

    def run(self, name: str) -> float:
        """What a whole run costs."""
        return self.to_wait[name] + self.to_end[name]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What so many workers, and so many runs a second, ask of the database."""

    writes_s: float
    transactions_s: float
    statements_s: float
    wal_mb_s: float
    connections: float
    heard_s: float  # notifications that each process hears
    processor: float  # of all workers, in processes that are busy without a pause


def read(path: Path = CONSTANTS) -> Constants:
    """The constants that were measured last."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Constants(
        to_wait=found["run"]["to_wait"],
        to_end=found["run"]["to_end"],
        idle=found["idle"]["1"],
        commits_s=found["server"]["commits_s"],
    )


def load(of: Constants, *, workers: int, runs_s: float) -> Load:
    """What the database and the workers bear."""
    told = min(runs_s * of.run("notifications"), TOLD_A_SECOND * workers)
    held = RENEWALS_S if runs_s else 0.0
    return Load(
        writes_s=runs_s * of.run("writes") + workers * (of.idle["writes"] + held),
        transactions_s=runs_s * of.run("transactions") + workers * (of.idle["transactions"] + held),
        statements_s=runs_s * of.run("statements") + workers * (of.idle["statements"] + held),
        wal_mb_s=runs_s * of.run("wal_bytes") / 1e6,
        connections=workers * (POOL if runs_s else of.idle["connections"]),
        heard_s=told,
        processor=runs_s * of.run("cpu_s") + workers * of.idle["cpu_s"],
    )


def disk_gb(of: Constants, *, waiting: int) -> float:
    """How much the waiting runs take up."""
    return waiting * of.to_wait["disk_bytes"] / 1e9


def capacities(of: Constants, *, workers: int) -> dict[str, float]:
    """How much of each there is."""
    return {
        "writes_s": of.commits_s,
        "statements_s": STATEMENTS_S,
        "connections": MAX_CONNECTIONS,
        "heard_s": HEARD_S,
        "processor": workers,
    }


def shares(of: Constants, *, workers: int, runs_s: float) -> dict[str, float]:
    """How much of each capacity is used up; above 1, it broke."""
    borne = asdict(load(of, workers=workers, runs_s=runs_s))
    return {name: borne[name] / most for name, most in capacities(of, workers=workers).items()}


def first(of: Constants, *, workers: int) -> tuple[str, float]:
    """What breaks first as runs come faster, and at how many a second; connections do not ask how fast."""

    def used(runs_s: float) -> dict[str, float]:
        found = shares(of, workers=workers, runs_s=runs_s)
        del found["connections"]
        return found

    low, high = 0.0, 1e6
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if max(used(middle).values()) > 1 else (middle, high)
    broken = used(high)
    return max(broken, key=lambda name: broken[name]), low


def workers_until(of: Constants) -> dict[str, int]:
    """With how many workers each capacity is used up, when every one does all that it can."""
    each = 0.9 / of.run("cpu_s")
    found: dict[str, int] = {}
    for workers in range(1, 100_001):
        used = shares(of, workers=workers, runs_s=workers * each)
        for name, share in used.items():
            if share > 1:
                found.setdefault(name, workers)
        if len(found) == len(used) - 1:
            break
    return found


def delays(
    of: Constants, *, workers: int, runs_s: float, decisions: int = 20_000
) -> dict[str, float]:
    """A simulation: from a decision to the end of its run, where decisions come at random.

    A run is driven by whoever is free, and its writes stand in the server's one line of commits.
    """
    chance = Random(17)
    free = [0.0] * workers
    line_free = now = 0.0
    taken: list[float] = []
    for _ in range(decisions):
        now += chance.expovariate(runs_s)
        begin = max(now, heapq.heappop(free))
        driven = begin + of.to_end["cpu_s"]
        # Every decision brings another run to its wait, whose writes stand in the same line.
        line_free = max(line_free, now) + of.run("writes") / of.commits_s
        done = max(driven, line_free)
        heapq.heappush(free, driven)
        taken.append(done - now)
    taken.sort()
    return {
        "p50_ms": round(taken[decisions // 2] * 1e3, 1),
        "p99_ms": round(taken[decisions * 99 // 100] * 1e3, 1),
    }


def table(of: Constants) -> dict[str, Any]:
    """Everything that docs/scaling.md tells."""
    rows = []
    for workers in WORKERS:
        what, runs_s = first(of, workers=workers)
        rest = load(of, workers=workers, runs_s=0.0)
        calm = min(runs_s * 0.5, workers * 20)
        rows.append(
            {
                "workers": workers,
                "idle_statements_s": round(rest.statements_s),
                "idle_transactions_s": round(rest.transactions_s),
                "connections": workers * POOL,
                "most_runs_s": round(runs_s, 1),
                "breaks_first": what,
                "at_half": delays(of, workers=workers, runs_s=calm),
            }
        )
    waits = [
        {
            "waiting": waiting,
            "disk_gb": round(disk_gb(of, waiting=waiting), 2),
            "runs_s": round(waiting / WAITS_S, 2),
            "writes_s": round(waiting / WAITS_S * of.run("writes"), 1),
        }
        for waiting in WAITING
    ]
    return {"workers": rows, "waiting": waits, "workers_until": workers_until(of)}


def main() -> None:
    """Reckon, keep it, and draw it."""
    from draw import Bar, picture

    found = table(read())
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    says = {
        "writes_s": "commits of the server",
        "statements_s": "statements of the server",
        "connections": f"{MAX_CONNECTIONS} connections",
        "heard_s": "hearing of notifications",
    }
    bars = [
        Bar(label=says[name], value=workers, shown=f"{workers} workers", kind="ours")
        for name, workers in sorted(found["workers_until"].items(), key=lambda each: each[1])
        if workers <= 200
    ]
    PICTURE.write_text(picture("Busy workers until this is used up", bars), encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
