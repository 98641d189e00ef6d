"""Draws the pictures of docs/performance.md from the measured figures: plain SVG, readable on light and on dark."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from targets import get, rows

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.quiet { fill: #57606a; font-size: 12px }
.title { font-weight: 600; font-size: 15px }
.ours { fill: #1f6feb } .other { fill: #8c959f } .met { fill: #2da44e } .missed { fill: #cf222e }
.line { stroke: #57606a; stroke-width: 1; stroke-dasharray: 4 3 } .spread { stroke: #24292f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 } .line { stroke: #9198a1 } .spread { stroke: #e6edf3 }
  .ours { fill: #4493f8 } .other { fill: #6e7681 } .met { fill: #3fb950 } .missed { fill: #f85149 }
}
"""
LABELS, BARS, ROW = 290, 380, 26


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar. `spread` is drawn as a line from the lowest to the highest."""

    label: str
    value: float
    shown: str
    kind: str
    spread: tuple[float, float] | None = None


def picture(title: str, bars: Iterable[Bar], *, mark: float | None = None) -> str:
    """Horizontal bars under a title; `mark` draws a line at a value."""
    found = list(bars)
    top = max((max(bar.value, *(bar.spread or (0,))) for bar in found), default=1) or 1
    height = 44 + ROW * len(found) + 12

    def across(value: float) -> float:
        return LABELS + BARS * min(value, top) / top

    parts = [f'<text class="title" x="0" y="20">{escape(title)}</text>']
    for number, bar in enumerate(found):
        y = 40 + ROW * number
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>',
            (
                f'<rect class="{bar.kind}" x="{LABELS}" y="{y + 2}" height="{ROW - 9}" rx="3" '
                f'width="{max(2, across(bar.value) - LABELS):.1f}"/>'
            ),
        ]
        end = across(bar.value)
        if bar.spread is not None:
            low, high = (across(value) for value in bar.spread)
            end = max(end, high)
            middle = y + 2 + (ROW - 9) / 2
            parts.append(
                f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
            )
        parts.append(
            f'<text class="quiet" x="{end + 8:.1f}" y="{y + 14}">{escape(bar.shown)}</text>'
        )
    if mark is not None:
        parts.append(
            f'<line class="line" x1="{across(mark):.1f}" x2="{across(mark):.1f}" y1="32" y2="{height - 8}"/>'
        )
    body = "\n".join(parts)
    width = LABELS + BARS + 130
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def gated(figures: dict, database: str) -> str | None:
    """Runs a second, ours and the peers'."""
    found = figures.get(f"gated_{database}", {})
    if not found.get("median"):
        return None
    named = {"signoff": "Signoff", "restate": "Restate", "langgraph": "LangGraph", "dbos": "DBOS"}
    bars = [
        Bar(
            label=label,
            value=found["median"][name],
            shown=f"{found['median'][name]:,.0f}",
            kind="ours" if name == "signoff" else "other",
            spread=tuple(found["spread"][name]),
        )
        for name, label in named.items()
        if name in found["median"]
    ]
    kind = {"sqlite": "SQLite, one process", "postgresql": "PostgreSQL, one worker"}[database]
    return picture(f"Gated runs a second, {kind}: median, and lowest to highest", bars)


def waiting(figures: dict) -> str | None:
    """Decisions with few and with many waiting."""
    bars = []
    for database, label in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL")):
        found = figures.get(f"waiting_{database}", {})
        for part, number in (("few", 100), ("many", found.get("waiting"))):
            p50 = get(found, part, "decision", "p50_ms")
            p99 = get(found, part, "decision", "p99_ms")
            if p50 is not None and p99 is not None:
                bars.append(
                    Bar(
                        label=f"{label}, {number:,} waiting",
                        value=p50,
                        shown=f"{p50:.1f} ms, p99 {p99:.1f}",
                        kind="ours",
                        spread=(p50, p99),
                    )
                )
    return (
        picture("Decision to completed run: median, and to the 99th percentile", bars)
        if bars
        else None
    )


def targets(figures: dict) -> str | None:
    """How much of its target each figure takes up."""
    bars = [
        Bar(
            label=_short(f"{row.figure}, {row.target}" if "×" in row.target else row.figure),
            value=min(row.used, 3),
            shown=f"{row.used:.0%}" if row.used <= 3 else f"{row.used:,.0f} times",
            kind="met" if row.used <= 1 else "missed",
        )
        for row in rows(figures)
        if row.used is not None
    ]
    title = "How much of its target each figure takes up; met up to the line"
    return picture(title, bars, mark=1) if bars else None


def drawn(result: dict) -> dict[str, tuple[str, str]]:
    """Every picture whose figures are there: the file's name, the picture, and what it shows."""
    figures = result["figures"]
    made = {
        "gated-sqlite.svg": (
            gated(figures, "sqlite"),
            "Gated runs a second on SQLite, beside peers",
        ),
        "gated-postgresql.svg": (
            gated(figures, "postgresql"),
            "Gated runs a second on PostgreSQL, beside peers",
        ),
        "waiting.svg": (waiting(figures), "Decisions with a hundred and with many waiting"),
        "targets.svg": (targets(figures), "How much of its target each figure takes up"),
    }
    return {name: (svg, about) for name, (svg, about) in made.items() if svg is not None}


def _short(text: str) -> str:
    text = (
        text.replace("gated runs/s, ", "")
        .replace("`", "")
        .replace(" (SQLAlchemy, group commit)", "")
    )
    return text if len(text) <= 44 else f"{text[:43]}…"
