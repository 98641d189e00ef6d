"""`signoff runs trace`: a tree for people, OTLP for collectors."""

import pytest
from rich.console import Console

from bot.cli.traces import Trace, trace_tree
from tests.cli.conftest import Signoff
from tests.tracing.collector import Export

SPANS = [
    ("a", None, "run refund", "completed", "0.07 USD", 420, 90.0, ()),
    ("b", "a", "step charge", "finished", None, None, 0.25, ("step.failed", "step.retried")),
    ("c", "a", "approval refund", "approved", None, None, 60.0, ("vote.recorded",)),
    ("d", "c", "delivery slack", None, None, None, None, ()),
]


def test_a_run_that_is_not_there_has_no_trace(signoff: Signoff) -> None:
    said = signoff("runs", "trace", "run_nowhere")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


def test_a_trace_is_a_tree_with_costs(capsys: pytest.CaptureFixture[str]) -> None:
    told = [
        {
            "id": id,
            "parent": parent,
            "name": name,
            "began_at": "2026-01-15T12:00:00Z",
            "ended_at": None
            if took is None
            else f"2026-01-15T12:{took // 60:02.0f}:{took % 60:05.2f}Z",
            "outcome": outcome,
            "cost": cost,
            "tokens": tokens,
            "events": [{"name": each, "at": "2026-01-15T12:00:00Z"} for each in events],
        }
        for id, parent, name, outcome, cost, tokens, took, events in SPANS
    ]

    Console(width=100).print(trace_tree(Trace.model_validate({"trace_id": "4bf9", "spans": told})))

    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "trace 4bf9",
        "└── run refund  ✓ completed  90.00 s, 0.07 USD, 420 tokens",
        "├── step charge  ✓ finished  0.25 s, 1 failed before",
        "└── approval refund  ✓ approved  60.00 s",
        "└── delivery slack  ▸ running",
    ]


def test_a_run_is_traced_from_a_terminal(signoff: Signoff) -> None:
    run = signoff("run", "greet", "-i", "name=Ana", "--wait", "--json").json["id"]

    drawn = signoff("runs", "trace", run)
    export = Export.model_validate_json(signoff("runs", "trace", run, "--otlp").out)

    assert "run greet  ✓ completed" in drawn.out
    assert [span.name for span in export.spans()] == ["run greet", "step greeting"]
    assert "Ana" not in drawn.out
