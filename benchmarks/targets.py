"""The targets, row by row: what is wanted, and how it is read out of the measurements."""

from collections.abc import Iterator
from dataclasses import dataclass

Found = dict[str, dict]  # the figures of each measurement, by its name
NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. `used` is the share of its target that it takes up: at most 1 where it is met."""

    figure: str
    target: str
    ours: str
    peer: str
    command: str
    used: float | None
    note: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is shown; what was not measured shows no figure."""
        ours = "–" if self.used is None else self.ours
        return (self.figure, self.target, ours, self.peer, f"`{self.command}`", self.verdict)

    @property
    def verdict(self) -> str:
        """Whether it is met, and if not, by how much it is missed."""
        if self.used is None:
            return self.note or NOT_MEASURED
        if self.used <= 1:
            return "yes"
        return f"no: {self.note or f'{self.used:.1f} times the target'}"


def rows(found: Found) -> Iterator[Row]:
    """Every row; what could not be measured says so."""
    for make in (_gated, _latency, _presses, _waiting, _ends, _growth):
        yield from make(found)


def at_least(value: float | None, wanted: float) -> float | None:
    """The share of a target that is to be reached."""
    return None if not value else wanted / value


def at_most(value: float | None, wanted: float) -> float | None:
    """The share of a target that is not to be passed."""
    return None if value is None else value / wanted


def get(found: Found, *path: str) -> float | None:
    """The number at `path`; None where it was not measured."""
    value: object = found
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) else None


def say(value: float | None, unit: str = "") -> str:
    """A number as people read it."""
    if value is None:
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def why_not(found: Found, name: str, peer: str) -> str:
    """Why there is no ratio to a peer."""
    failed = found.get(name, {}).get("failed")
    if isinstance(failed, dict) and peer in failed:
        return f"could not be measured: {failed[peer]}"
    is_left_out = peer in found.get(name, {}).get("left_out", ())
    return "the peer is not installed" if is_left_out else why(found, name)


def why(found: Found, name: str) -> str:
    """Why a measurement has no figures."""
    failed = found.get(name, {}).get("failed")
    return NOT_MEASURED if failed is None else f"could not be measured: {failed}"


WANTED = (
    (
        "gated_sqlite",
        "SQLite, one process",
        {"restate": 1.2, "langgraph": 10, "dbos": 20, "floor": 0.2},
    ),
    ("gated_postgresql", "PostgreSQL, one worker", {"restate": 1.0, "langgraph": 9, "dbos": 18}),
)
NAMES = {
    "restate": "Restate, one partition",
    "langgraph": "LangGraph",
    "dbos": "DBOS",
    "floor": "the floor (SQLAlchemy, group commit)",
}


def _gated(found: Found) -> Iterator[Row]:
    for name, what, wanted in WANTED:
        database = name.partition("_")[2]
        for peer, ratio in wanted.items():
            reached = get(found, name, "ratio", peer)
            yield Row(
                figure=f"gated runs/s, {what}",
                target=f"≥ {ratio:g} × {NAMES[peer]}",
                ours=f"{say(get(found, name, 'median', 'signoff'))} ({say(reached)} ×)",
                peer=say(get(found, name, "median", peer)),
                command=f"benchmarks/compare.py --database {database}",
                used=at_least(reached, ratio),
                note="" if reached else why_not(found, name, peer),
            )
    one, two = (get(found, f"workers_{number}", "runs_s") for number in (1, 2))
    yield Row(
        figure="gated runs/s, PostgreSQL, 1 → 2 workers",
        target="the second adds until the cores are full",
        ours=f"{say(one)} → {say(two)}",
        peer="–",
        command="signoff bench gated-runs --workers 2 --database postgresql://…",
        used=at_least(two / one, 1.0) if one and two else None,
        note="the cores were full with one" if one and two else why(found, "workers_2"),
    )


def _latency(found: Found) -> Iterator[Row]:
    for database, middle, tail in (("sqlite", 4, 10), ("postgresql", 6, 12)):
        name = f"latency_{database}"
        p50, p99 = get(found, name, "p50_ms"), get(found, name, "p99_ms")
        theirs = found.get(f"latency_langgraph_{database}", {})
        yield Row(
            figure=f"decision → completed, unloaded, {database}",
            target=f"p50 ≤ {middle}, p99 ≤ {tail} ms",
            ours=f"{say(p50)} / {say(p99)} ms",
            peer=f"LangGraph {say(theirs.get('p50_ms'))} / {say(theirs.get('p99_ms'))} ms",
            command="signoff bench latency",
            used=_worst(at_most(p50, middle), at_most(p99, tail)),
            note=_missing(found, name),
        )


def _presses(found: Found) -> Iterator[Row]:
    calm, busy = ("channels", "unloaded"), ("channels", "loaded")
    yield Row(
        figure="signed Slack press → answer, unloaded",
        target="p50 ≤ 15, p99 ≤ 60 ms",
        ours=f"{say(get(found, *calm, 'p50_ms'))} / {say(get(found, *calm, 'p99_ms'))} ms",
        peer="–",
        command="signoff bench press",
        used=_worst(
            at_most(get(found, *calm, "p50_ms"), 15), at_most(get(found, *calm, "p99_ms"), 60)
        ),
        note=_missing(found, "channels"),
    )
    yield Row(
        figure="the same, 200 presses a second",
        target="p99 < 1.5 s",
        ours=say(get(found, *busy, "p99_ms"), "ms"),
        peer="–",
        command="signoff bench channels",
        used=at_most(get(found, *busy, "p99_ms"), 1500),
        note=_missing(found, "channels"),
    )


def _waiting(found: Found) -> Iterator[Row]:
    number = get(found, "waiting_sqlite", "waiting")
    many = ("waiting_sqlite", "many")
    p99_few = get(found, "waiting_sqlite", "few", "decision", "p99_ms")
    p99_many = get(found, *many, "decision", "p99_ms")
    command = f"signoff bench waiting --waiting {number or 100_000:.0f}"
    what = f"{say(number)} waiting, SQLite"
    missing = _missing(found, "waiting_sqlite")
    yield Row(
        figure=f"{what}: decision p99",
        target="≤ 1.5 × that with 100",
        ours=f"{say(p99_few)} → {say(p99_many)} ms",
        peer="Restate 22 ms (2026-11-20)",
        command=command,
        used=at_most(p99_many / p99_few, 1.5) if p99_few and p99_many else None,
        note=missing,
    )
    yield Row(
        figure=f"{what}: memory of the server",
        target="≤ 50 MB more",
        ours=say(get(found, "waiting_sqlite", "rss_growth_mb"), "MB more"),
        peer="Restate 1.6 GB (2026-11-20)",
        command=command,
        used=at_most(get(found, "waiting_sqlite", "rss_growth_mb"), 50),
        note=missing,
    )
    for page, path in PAGES.items():
        p99 = get(found, *many, "pages", page, "p99_ms")
        yield Row(
            figure=f"{what}: `{path}`",
            target="p99 ≤ 100 ms",
            ours=say(p99, "ms"),
            peer="–",
            command=command,
            used=at_most(p99, 100),
            note=missing,
        )
    number = get(found, "waiting_postgresql", "waiting")
    p99 = get(found, "waiting_postgresql", "many", "decision", "p99_ms")
    yield Row(
        figure=f"{say(number)} waiting, PostgreSQL: decision p99",
        target="≤ 200 ms with 1,000,000",
        ours=say(p99, "ms"),
        peer="–",
        command=f"signoff bench waiting --waiting {number or 1_000_000:.0f} --database postgresql://…",
        used=at_most(p99, 200),
        note=_missing(found, "waiting_postgresql"),
    )


PAGES = {
    "api_open": "/api/approvals?status=open",
    "api_runs": "/api/runs",
    "web_open": "/approvals?view=open",
    "web_mine": "/approvals",
    "web_runs": "/runs",
}


def _ends(found: Found) -> Iterator[Row]:
    number = get(found, "restart", "waiting")
    first, late = (
        get(found, "restart", name) for name in ("first_decision_s", "first_due_timer_late_s")
    )
    yield Row(
        figure=f"killed and started with {say(number)} waiting: first decision, first due timer",
        target="≤ 1.5 s, ≤ 2 s late",
        ours=f"{say(first)} s, {say(late)} s",
        peer="Restate 2.2 s (10,000 waiting, 2026-11-20)",
        command=f"signoff bench restart --waiting {number or 100_000:.0f}",
        used=_worst(at_most(first, 1.5), at_most(late, 2)),
        note=_missing(found, "restart"),
    )
    due = found.get("expiries", {})
    each_once = due.get("decided", 0) == due.get("waiting") == due.get("outboxed")
    yield Row(
        figure=f"{say(due.get('waiting'))} deadlines at one instant: all decided and outboxed",
        target="≤ 5 s, each once",
        ours=f"{say(due.get('all_outboxed_s'))} s, {'each once' if each_once else 'NOT each once'}",
        peer="Restate 19.7 s (2026-11-20)",
        command="signoff bench expiries",
        used=at_most(get(found, "expiries", "all_outboxed_s"), 5) if each_once else None,
        note=_missing(found, "expiries"),
    )
    storm = found.get("storm", {})
    is_right = storm.get("decisions") == 1 and storm.get("errors") == 0
    yield Row(
        figure=f"{say(storm.get('voters'))} votes on one approval at once, over HTTP",
        target="one decision, p99 ≤ 1.5 s, no error",
        ours=f"{storm.get('decisions')} decision, {say(storm.get('p99_ms'))} ms, "
        f"{storm.get('errors')} errors",
        peer="–",
        command="signoff bench storm",
        used=at_most(get(found, "storm", "p99_ms"), 1500) if is_right else None,
        note=_missing(found, "storm"),
    )


def _growth(found: Found) -> Iterator[Row]:
    p50 = get(found, "growth", "steps_1000", "p50_ms")
    yield Row(
        figure="decision → completed of a run with 1,000 steps",
        target="≤ 150 ms",
        ours=say(p50, "ms"),
        peer="–",
        command="signoff bench growth",
        used=at_most(p50, 150),
        note=_missing(found, "growth"),
    )


def _worst(*shares: float | None) -> float | None:
    known = [share for share in shares if share is not None]
    return max(known) if len(known) == len(shares) else None


def _missing(found: Found, name: str) -> str:
    return "" if found.get(name, {}).get("failed") is None and name in found else why(found, name)


__all__ = ["Found", "Row", "get", "rows"]
