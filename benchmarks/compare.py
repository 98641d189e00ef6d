"""Runs ours and each peer in turn, so that all meet the same machine, and prints medians and ratios."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
PEERS = {"langgraph": "langgraph_gated.py", "dbos": "dbos_gated.py"}


def measure(command: list[str]) -> float:
    """One measurement's runs a second: the last line that the command prints is its JSON."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["runs_s"])


def main() -> None:
    """Interleave: ours, one peer, ours, the other peer, and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", required=True, help="python with signoff[server] installed")
    parser.add_argument("--peers", required=True, help="python with the peers installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    size = ["--runs", str(given.runs), "--concurrency", str(given.concurrency)]
    ours = [given.ours, "-m", "bot.bench.main", "gated-runs", *size]
    found: defaultdict[str, list[float]] = defaultdict(list)
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for _round in range(given.rounds):
            for peer, script in PEERS.items():
                mine = measure(ours)
                runs = str(given.runs if peer != "dbos" else max(200, given.runs // 4))
                theirs = measure(
                    [
                        given.peers,
                        str(HERE / "peers" / script),
                        runs,
                        str(given.concurrency),
                        folder,
                    ]
                )
                found["signoff"].append(mine)
                found[peer].append(theirs)
                ratios[peer].append(mine / theirs)
    print(
        json.dumps(
            {
                "what": "gated runs a second, SQLite, closed loop",
                "concurrency": given.concurrency,
                "rounds": given.rounds,
                "cores": os.cpu_count(),
                "machine": platform.machine(),
                "median": {name: round(statistics.median(all_), 1) for name, all_ in found.items()},
                "spread": {name: [min(all_), max(all_)] for name, all_ in found.items()},
                "ratio": {name: round(statistics.median(all_), 2) for name, all_ in ratios.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
