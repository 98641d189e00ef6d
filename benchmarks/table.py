"""Measures every target, ours and the peers in one run, and rewrites the table, the figures and the pictures.

    python3 benchmarks/table.py --quick       # about nine minutes
    python3 benchmarks/table.py               # more rounds, a million waiting on PostgreSQL
    python3 benchmarks/table.py --draw        # nothing is measured again

The figures go to benchmarks/results/targets.json, the table into docs/performance.md, the pictures into
docs/pictures. Nothing else should run meanwhile; the machine's load is written down beside the figures.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from compare import HERE, OURS, ROOT, Failed, bench, end_within, installed, interleaved, peer
from draw import drawn
from targets import rows
from with_postgres import durable

RESULTS = HERE / "results" / "targets.json"
PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures"
BEGIN, END = "<!-- targets: benchmarks/table.py writes what follows -->", "<!-- /targets -->"

QUICK_S = 590  # what is not measured by then says so


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How much is measured."""

    rounds: int
    runs: int
    waiting: int
    waiting_shared: int
    probes: int


QUICK = Amounts(rounds=2, runs=1500, waiting=100_000, waiting_shared=100_000, probes=100)
WHOLE = Amounts(rounds=5, runs=4000, waiting=100_000, waiting_shared=1_000_000, probes=300)

Measurement = tuple[str, Callable[[], dict]]


def measurements(how: Amounts, fresh: Callable[[], str]) -> list[Measurement]:
    """All of them, by name; what is compared comes first, while the machine is coolest."""
    waits = ("waiting", "--probes", how.probes, "--pages", 30, "--waiting")
    probes = ("--probes", how.probes)
    shared = ("gated-runs", "--runs", how.runs, "--workers")
    found: list[Measurement] = [
        ("gated_sqlite", lambda: interleaved("sqlite", how.rounds, runs=how.runs)),
        (
            "gated_postgresql",
            lambda: interleaved("postgresql", how.rounds, runs=how.runs // 2, fresh=fresh),
        ),
        ("workers_1", lambda: bench(*shared, 1, url=fresh())),
        ("workers_2", lambda: bench(*shared, 2, url=fresh())),
        ("latency_sqlite", lambda: bench("latency", *probes)),
        ("latency_postgresql", lambda: bench("latency", *probes, url=fresh())),
        ("growth", lambda: bench("growth", "--probes", 5)),
        ("channels", lambda: bench("channels", *probes)),
        ("storm", lambda: bench("storm")),
        ("expiries", lambda: bench("expiries")),
        ("restart", lambda: bench("restart", "--waiting", how.waiting)),
        ("waiting_sqlite", lambda: bench(*waits, how.waiting)),
        ("waiting_postgresql", lambda: bench(*waits, how.waiting_shared, url=fresh())),
    ]
    if "langgraph" in installed(("langgraph",)):
        found[6:6] = [
            ("latency_langgraph_sqlite", lambda: peer("langgraph", "latency", 100)),
            (
                "latency_langgraph_postgresql",
                lambda: peer("langgraph", "latency", 100, url=fresh()),
            ),
        ]
    return found


def measured(how: Amounts, only: list[str]) -> dict:
    """Every figure; one that could not be had says why, and the others are measured all the same."""
    before = json.loads(RESULTS.read_text()) if only and RESULTS.exists() else {}
    found: dict[str, dict] = before.get("figures", {})
    loads = [os.getloadavg()[0]]
    with durable() as server:
        for name, measure in measurements(how, lambda: server.url(server.make())):
            if only and name not in only:
                continue
            began = time.monotonic()
            try:
                found[name] = measure()
            except Failed as why:
                found[name] = {"failed": str(why)}
            loads.append(os.getloadavg()[0])
            found[name]["load_after"] = round(loads[-1], 1)
            print(
                f"{time.monotonic() - began:6.1f} s  {name}: {json.dumps(found[name])}", flush=True
            )
    return {
        "about": {**about(), "load": [round(min(loads), 1), round(max(loads), 1)]},
        "figures": found,
    }


def about() -> dict:
    """When and on what it was measured."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    memory = Path("/proc/meminfo").read_text().split()[1]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory) / 2**20),
    }


def table(result: dict) -> str:
    """What goes between the marks of the page."""
    said = result["about"]
    lines = [
        (
            f"Measured on {said['date']} at commit `{said['commit']}` with `python3 benchmarks/table.py` on "
            f"{said['cores']} cores and {said['memory_gib']} GiB; load average of the machine meanwhile "
            f"{said['load'][0]} to {said['load'][1]}, the measurements' own included. The raw figures are in "
            "[`targets.json`](../benchmarks/results/targets.json)."
        ),
        "",
        "| figure | target | ours | peer in the same run | command | met |",
        "|---|---|--:|--:|---|---|",
    ]
    lines += [f"| {' | '.join(row.cells)} |" for row in rows(result["figures"])]
    return "\n".join(lines)


def written(result: dict) -> dict[Path, str]:
    """The page and the pictures as the figures have them."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    pictures = drawn(result)
    shown = "\n\n".join(f"![{about}](pictures/{name})" for name, (_, about) in pictures.items())
    found = {PICTURES / name: svg for name, (svg, _) in pictures.items()}
    found[PAGE] = f"{before}{BEGIN}\n\n{table(result)}\n\n{shown}\n\n{END}{after}"
    return found


def main() -> None:
    """Measure, write down, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="in about nine minutes")
    parser.add_argument("--draw", action="store_true", help="from the figures that are there")
    parser.add_argument(
        "--check", action="store_true", help="whether they are what the figures say"
    )
    parser.add_argument("--only", nargs="*", default=[], help="measure these, and keep the others")
    given = parser.parse_args()
    if given.quick:
        end_within(QUICK_S)
    if given.draw or given.check:
        result = json.loads(RESULTS.read_text())
    else:
        result = measured(QUICK if given.quick else WHOLE, given.only)
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    found = written(result)
    if given.check:
        stale = [path.name for path, text in found.items() if path.read_text() != text]
        sys.exit(f"Not what the figures say: {', '.join(stale)}" if stale else 0)
    for path, text in found.items():
        path.write_text(text)


if __name__ == "__main__":
    if OURS.exists() and Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        os.execv(OURS, [str(OURS), *sys.argv])
    main()
