"""`docs/states.md`, made from the tables of edges."""

from collections.abc import Iterable, Sequence

from engine.rules.edges import (
    AFTER_THE_END,
    APPROVAL_EDGES,
    CASE_EDGES,
    QUIET,
    QUIET_CASES,
    RUN_EDGES,
)
from engine.rules.states import ANY_REASON, TERMINAL, Edge

_INTRODUCTION = """\
# States

This page is made from the tables in `engine/rules/edges.py`; a test keeps it equal to them.

Each change of state is caused by exactly one entry of the run's journal, written in the same
transaction. Terminal is terminal: after it nothing changes any more.
"""


def states_page() -> str:
    """The whole page as Markdown; the same text every time."""
    return "\n".join(
        (
            _INTRODUCTION,
            "## A run\n",
            *_diagram(),
            f"\nTerminal: {_codes(sorted(TERMINAL))}.\n",
            *_table(
                ("journal entry", "before", "after", "says"),
                (
                    (f"`{edge.entry_kind}`", _before(edge), _after(edge), edge.says)
                    for edge in RUN_EDGES
                ),
            ),
            "\n## Entries that change no state\n",
            *_table(
                ("journal entry", "says"), ((f"`{kind}`", says) for kind, says in QUIET.items())
            ),
            f"\nOnly {_codes(sorted(AFTER_THE_END))} may still come after the end of a run.\n",
            "## An approval\n",
            *_table(
                ("journal entry", "before", "after", "says"),
                (
                    (
                        f"`{edge.entry_kind}`",
                        _codes(sorted(edge.before)),
                        f"`{edge.after}`",
                        edge.says,
                    )
                    for edge in APPROVAL_EDGES
                ),
            ),
            *_of_cases(),
            "",
        )
    )


def _of_cases() -> list[str]:
    rows = [
        (f"`{edge.entry_kind}`", _codes(sorted(edge.before)), f"`{edge.after}`", edge.says)
        for edge in CASE_EDGES
    ]
    quiet = [(f"`{kind}`", says) for kind, says in QUIET_CASES.items()]
    return [
        "\n## A case\n",
        "It has no run: its entries are in the audit chain of its tenant.\n",
        *_table(("entry", "before", "after", "says"), rows),
        "",
        *_table(("entry that changes no state", "says"), quiet),
    ]


def _diagram() -> list[str]:
    arrows = [
        f"    {before} --> {edge.after}: {edge.entry_kind}"
        for edge in RUN_EDGES
        for before in (sorted(map(str, edge.before)) or ["[*]"])
    ]
    ends = [
        f"    {status} --> [*]" for status in sorted({edge.after for edge in RUN_EDGES} & TERMINAL)
    ]
    return ["```mermaid", "stateDiagram-v2", *dict.fromkeys(arrows), *ends, "```"]


def _before(edge: Edge) -> str:
    states = _codes(sorted(edge.before))
    reasons = sorted(str(reason) for reason in edge.when if reason is not None)
    if edge.when == ANY_REASON:
        return states
    if not reasons:
        return f"{states} without a reason"
    if edge.when == ANY_REASON - {None}:
        return f"{states} with a reason"
    return f"{states} ({', '.join(reasons)})"


def _after(edge: Edge) -> str:
    if edge.keeps_reason:
        return f"`{edge.after}`, the reason stays"
    return f"`{edge.after}` ({edge.reason})" if edge.reason else f"`{edge.after}`"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
