"""Runs ours and each peer in turn, so that all meet the same machine, and prints medians, spread and ratios.

    python3 benchmarks/compare.py --rounds 5 [--database sqlite|postgresql] [--workers 2]

Peers that are not installed are left out, and named; benchmarks/README.md says how to install them.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OURS = ROOT / ".venv" / "bin" / "python"
PEERS = Path(os.environ.get("SIGNOFF_PEERS", ROOT / ".peers"))
RESTATE = "node_modules/@restatedev/restate-server-linux-x64/bin/restate-server"
CONCURRENCY = 64

# How many runs of each: some seconds of them, so that a slow one does not take up the whole time.
SIZES = {"floor": 4000, "restate": 2000, "langgraph": 300, "dbos": 150}
ON = {
    "sqlite": ("floor", "restate", "langgraph", "dbos"),
    "postgresql": ("restate", "langgraph", "dbos"),
}


_END: list[float] = []  # the moment by which all must be measured, if there is one


def end_within(seconds: float) -> None:
    """Let no measurement run for longer than until then."""
    _END[:] = [time.monotonic() + seconds]


class Failed(Exception):
    """A measurement ended badly; the message is the end of what it said."""


def last_line(command: list[object], *, within_s: float = 580) -> dict:
    """What a command's last line says, which is its JSON.

    Raises:
        Failed: if it fails, or takes too long.
    """
    words = [str(word) for word in command]
    within_s = min([within_s, *(end - time.monotonic() for end in _END)])
    if within_s <= 1:
        raise Failed("no time was left")
    told = {**os.environ, "RESTATE_SERVER": restate_server() or ""}
    # A session of its own, so that what it started ends with it.
    with subprocess.Popen(
        words, stdout=PIPE, stderr=PIPE, text=True, cwd=ROOT, env=told, start_new_session=True
    ) as begun:
        try:
            out, errors = begun.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"longer than {within_s:.0f} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(begun.pid, signal.SIGKILL)
    if begun.returncode != 0:
        raise Failed(" ".join((errors or out).strip()[-300:].split()))
    return json.loads(out.strip().splitlines()[-1])


def bench(*words: object, url: str | None = None, within_s: float = 580) -> dict:
    """What `signoff bench` measures."""
    where = [] if url is None else ["--database", url]
    return last_line([OURS, "-m", "signoff", "bench", *words, "--json", *where], within_s=within_s)


def peer(name: str, mode: str, runs: int, *, url: str | None = None) -> dict:
    """What a peer measures, in a folder of its own or on the PostgreSQL at `url`."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        python, script = PEERS / "bin" / "python", HERE / "peers" / f"{name}_gated.py"
        return last_line([python, script, mode, runs, CONCURRENCY, url or folder], within_s=180)


def restate_server() -> str | None:
    """Where Restate's server is, if it is anywhere."""
    named = os.environ.get("RESTATE_SERVER") or str(PEERS / RESTATE)
    return named if Path(named).exists() else shutil.which("restate-server")


def installed(names: tuple[str, ...]) -> list[str]:
    """Those of the peers that can be run here."""
    if not (PEERS / "bin" / "python").exists():
        return []
    return [name for name in names if name != "restate" or restate_server()]


def interleaved(
    kind: str, rounds: int, *, runs: int, fresh: Callable[[], str] | None = None, workers: int = 1
) -> dict:
    """Ours and a peer, ours and the next peer, and again; a ratio for each pair.

    `fresh` makes an empty PostgreSQL for every measurement; without it all run on SQLite.
    """
    found: defaultdict[str, list[dict]] = defaultdict(list)
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    failed: dict[str, str] = {}
    ours = ["gated-runs", "--runs", runs, "--concurrency", CONCURRENCY, "--workers", workers]
    for _round in range(rounds):
        for name in installed(ON[kind]):
            try:
                mine = bench(*ours, url=fresh and fresh())
                needs_url = fresh if name != "restate" else None
                theirs = peer(name, "gated-runs", SIZES[name], url=needs_url and needs_url())
            except Failed as why:
                failed[name] = str(why)
                continue
            found["signoff"].append(mine)
            found[name].append(theirs)
            ratios[name].append(mine["runs_s"] / theirs["runs_s"])
    return {
        "what": "gated runs a second, closed loop",
        "database": kind,
        "workers": workers,
        "concurrency": CONCURRENCY,
        "rounds": rounds,
        "median": {name: _median(all_, "runs_s") for name, all_ in found.items()},
        "spread": {
            name: [min(one["runs_s"] for one in all_), max(one["runs_s"] for one in all_)]
            for name, all_ in found.items()
        },
        "cpu_ms_run": {name: _median(all_, "cpu_ms_run") for name, all_ in found.items()},
        "ratio": {name: round(statistics.median(all_), 2) for name, all_ in ratios.items()},
        "left_out": [name for name in ON[kind] if name not in found],
        "failed": failed,
    }


def _median(measured: list[dict], figure: str) -> float:
    return round(statistics.median(one[figure] for one in measured), 2)


def main() -> None:
    """Compare, on one database."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=sorted(ON), default="sqlite")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    if given.database == "sqlite":
        found = interleaved("sqlite", given.rounds, runs=given.runs)
    else:
        from with_postgres import durable

        with durable() as server:
            found = interleaved(
                "postgresql",
                given.rounds,
                runs=given.runs,
                fresh=lambda: server.url(server.make()),
                workers=given.workers,
            )
    about = {"cores": os.cpu_count(), "machine": platform.machine(), "load_before": round(load, 1)}
    print(json.dumps({**about, **found}))


if __name__ == "__main__":
    if OURS.exists() and Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        os.execv(OURS, [str(OURS), *sys.argv])
    main()
