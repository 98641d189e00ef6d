"""Each change of state has its one entry; every other change is refused."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.changes import apply, change_approval
from engine.rules.edges import APPROVAL_EDGES, QUIET, RUN_EDGES
from engine.rules.states import (
    TERMINAL,
    ApprovalStatus,
    ImpossibleChange,
    RunShape,
    RunStatus,
    WaitingReason,
)
from engine.rules.states_page import states_page

# Where a branch may still wait for what others end.
BRANCHED = [each for each in WaitingReason if each not in {"approval", "timer", "child", "stuck"}]
KINDS = sorted({edge.entry_kind for edge in RUN_EDGES})


def shape(text: str) -> RunShape | None:
    """`waiting:approval` as a shape; `-` is a run not yet created."""
    if text == "-":
        return None
    status, _, reason = text.partition(":")
    return RunShape(status=RunStatus(status), reason=WaitingReason(reason) if reason else None)


ELSEWHERE = [each for each in BRANCHED if each != "budget"]
KNOWN = [each for each in BRANCHED if each != "reconcile"]

POSSIBLE = {
    ("-", "run.created"): "created",
    ("created", "run.started"): "running",
    ("running", "approval.opened"): "waiting:approval",
    ("created", "approval.opened"): "waiting:approval",
    ("waiting:approval", "approval.decided"): "running",
    ("paused:approval", "approval.decided"): "paused",
    ("running", "sleep.started"): "waiting:timer",
    ("waiting:timer", "sleep.ended"): "running",
    ("paused:timer", "sleep.ended"): "paused",
    ("running", "step.retry_scheduled"): "waiting:timer",
    ("waiting:timer", "step.retried"): "running",
    ("paused:timer", "step.retried"): "paused",
    ("running", "effect.unknown"): "waiting:reconcile",
    ("waiting:reconcile", "effect.settled"): "running",
    ("paused:reconcile", "effect.settled"): "paused",
    ("running", "effect.settled"): "running",
    ("running", "budget.asked"): "waiting:budget",
    ("waiting:budget", "budget.raised"): "running",
    ("paused:budget", "budget.raised"): "paused",
    ("waiting:budget", "budget.kept"): "running",
    ("paused:budget", "budget.kept"): "paused",
    ("running", "run.changed"): "waiting:changed",
    ("rolling_back", "run.changed"): "waiting:changed",
    ("rolling_back:stuck", "run.changed"): "waiting:changed",
    ("waiting:changed", "run.retried"): "running",
    ("waiting:stuck", "run.retried"): "running",
    ("running", "run.quarantined"): "waiting:quarantined",
    ("rolling_back", "run.quarantined"): "waiting:quarantined",
    ("waiting:quarantined", "run.released"): "running",
    **{(status, "rollback.started"): "rolling_back" for status in ("created", "running", "paused")},
    **{(end, "rollback.started"): "rolling_back" for end in ("failed", "cancelled", "killed")},
    **{(f"waiting:{reason}", "rollback.started"): "rolling_back" for reason in WaitingReason},
    **{(f"paused:{reason}", "rollback.started"): "rolling_back" for reason in WaitingReason},
    ("rolling_back", "rollback.resumed"): "running",
    ("rolling_back", "approval.opened"): "rolling_back:approval",
    ("rolling_back", "approval.decided"): "rolling_back",
    ("rolling_back:approval", "approval.decided"): "rolling_back",
    ("rolling_back:approval", "run.changed"): "waiting:changed",
    ("rolling_back:approval", "run.failed"): "failed",
    ("rolling_back:approval", "run.cancelled"): "cancelled",
    ("rolling_back:approval", "run.killed"): "killed",
    ("rolling_back:approval", "run.paused"): "paused",
    ("paused", "approval.decided"): "paused",
    ("rolling_back", "compensation.stuck"): "rolling_back:stuck",
    ("rolling_back:stuck", "compensation.retried"): "rolling_back",
    ("rolling_back:stuck", "compensation.skipped"): "rolling_back",
    ("rolling_back", "compensation.skipped"): "rolling_back",
    ("rolling_back:stuck", "compensation.taken_over"): "rolling_back",
    ("running", "run.completed"): "completed",
    ("running", "run.failed"): "failed",
    ("rolling_back", "run.failed"): "failed",
    ("rolling_back:stuck", "run.failed"): "failed",
    ("rolling_back", "run.rolled_back"): "rolled_back",
    ("created", "run.cancelled"): "cancelled",
    ("running", "run.cancelled"): "cancelled",
    ("rolling_back", "run.cancelled"): "cancelled",
    ("rolling_back:stuck", "run.cancelled"): "cancelled",
    ("paused", "run.cancelled"): "cancelled",
    ("running", "run.halted"): "waiting:halted",
    ("rolling_back", "run.halted"): "waiting:halted",
    ("waiting:halted", "run.freed"): "running",
    ("paused:halted", "run.freed"): "paused",
    ("created", "run.killed"): "killed",
    ("running", "run.killed"): "killed",
    ("rolling_back", "run.killed"): "killed",
    ("rolling_back:stuck", "run.killed"): "killed",
    ("paused", "run.killed"): "killed",
    **{(f"waiting:{reason}", "run.killed"): "killed" for reason in WaitingReason},
    **{(f"paused:{reason}", "run.killed"): "killed" for reason in WaitingReason},
    ("created", "run.paused"): "paused",
    ("running", "run.paused"): "paused",
    ("rolling_back", "run.paused"): "paused",
    ("paused", "run.resumed"): "running",
    ("running", "child.started"): "waiting:child",
    ("waiting:child", "child.ended"): "running",
    ("paused:child", "child.ended"): "paused",
    ("running", "child.ended"): "running",
    ("rolling_back", "child.ended"): "rolling_back",
    ("paused", "child.ended"): "paused",
    ("rolling_back", "child.undoing"): "rolling_back:child",
    ("running", "approval.decided"): "running",
    ("running", "sleep.ended"): "running",
    ("running", "step.retried"): "running",
    ("running", "branches.waiting"): "waiting:branches",
    ("waiting:branches", "branches.woken"): "running",
    **{
        (f"{each}:{why}", kind): f"{each}:{why}"
        for each, why, kind in product(
            ("waiting", "paused"), BRANCHED, ("approval.decided", "child.ended")
        )
    },
    **{
        (f"{each}:{why}", kind): f"{each}:{why}"
        for each, why in product(("waiting", "paused"), ELSEWHERE)
        for kind in ("budget.raised", "budget.kept")
    },
    **{
        (f"{each}:{why}", "effect.settled"): f"{each}:{why}"
        for each, why in product(("waiting", "paused"), KNOWN)
    },
    ("paused", "effect.settled"): "paused",
    ("running", "budget.raised"): "running",
    ("paused", "budget.raised"): "paused",
    ("running", "budget.kept"): "running",
    ("paused", "budget.kept"): "paused",
    **{(f"waiting:{reason}", "run.cancelled"): "cancelled" for reason in WaitingReason},
    **{(f"paused:{reason}", "run.cancelled"): "cancelled" for reason in WaitingReason},
    **{(f"waiting:{reason}", "run.paused"): f"paused:{reason}" for reason in WaitingReason},
    **{(f"paused:{reason}", "run.resumed"): f"waiting:{reason}" for reason in WaitingReason},
}
SHAPES = [
    "-",
    *(status for status in RunStatus if status not in {"waiting", "settling"}),
    *(f"{status}:{reason}" for status, reason in product(("waiting", "paused"), WaitingReason)),
    "rolling_back:stuck",
    "rolling_back:approval",
]
UNDOABLE = {"failed", "cancelled", "killed"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_change_exists(kind: str) -> None:
    for before in SHAPES:
        if (before, kind) not in POSSIBLE:
            with pytest.raises(ImpossibleChange, match=kind):
                apply(shape(before), kind, {})


@pytest.mark.parametrize(("before", "kind"), POSSIBLE)
def test_a_change_leads_where_its_entry_says(before: str, kind: str) -> None:
    assert apply(shape(before), kind, {}) == shape(POSSIBLE[before, kind])


@pytest.mark.parametrize(
    ("before", "kind", "data", "after"),
    [
        pytest.param("waiting:changed", "run.retried", {"to": "running"}, "running", id="the run"),
        pytest.param(
            "waiting:changed", "run.retried", {"to": "rolling_back"}, "rolling_back", id="its undo"
        ),
        pytest.param("paused", "run.resumed", {"to": "rolling_back"}, "rolling_back", id="held"),
        pytest.param(
            "running", "approval.opened", {"to": "running"}, "running", id="a branch asks"
        ),
        pytest.param(
            "running", "sleep.started", {"to": "running"}, "running", id="a branch sleeps"
        ),
        pytest.param("created", "run.started", {"to": "anything"}, "running", id="only one way"),
    ],
)
def test_data_says_which_way(
    before: str, kind: str, data: Mapping[str, object], after: str
) -> None:
    assert apply(shape(before), kind, data) == shape(after)


@pytest.mark.parametrize(
    ("before", "kind", "data", "says"),
    [
        pytest.param("-", "step.begun", {}, "not yet created", id="no step without a run"),
        pytest.param("running", "run.invented", {}, "run.invented", id="an unknown entry"),
        pytest.param("waiting:changed", "run.retried", {"to": "completed"}, "changed", id="no way"),
        pytest.param("completed", "step.finished", {}, "completed", id="no step after the end"),
        pytest.param("completed", "rollback.started", {}, "completed", id="not without its parent"),
        pytest.param("cancelled", "rung.fired", {}, "cancelled", id="no rung after the end"),
        pytest.param("waiting:timer", "run.completed", {}, r"waiting \(timer\)", id="says why"),
    ],
)
def test_an_impossible_entry_is_refused(
    before: str, kind: str, data: Mapping[str, object], says: str
) -> None:
    with pytest.raises(ImpossibleChange, match=says):
        apply(shape(before), kind, data)


@pytest.mark.parametrize("kind", QUIET)
@pytest.mark.parametrize("before", ["created", "running", "waiting:approval", "rolling_back:stuck"])
def test_a_quiet_entry_changes_nothing(before: str, kind: str) -> None:
    assert apply(shape(before), kind, {}) == shape(before)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_only_a_late_vote_or_an_operators_undoing_comes_after_the_end(status: RunStatus) -> None:
    ended = RunShape(status=status)

    assert ended.is_terminal
    assert apply(ended, "vote.recorded", {}) == ended
    assert (ended.status in UNDOABLE) == any(
        edge.leads_from(ended)
        for edge in RUN_EDGES
        if edge.entry_kind == "rollback.started" and edge.asks is None
    )
    for kind in {*KINDS, *QUIET} - {"vote.recorded", "rollback.started"}:
        with pytest.raises(ImpossibleChange):
            apply(ended, kind, {})


def test_states_reasons_and_entries_have_the_names_that_are_stored() -> None:
    assert " ".join(RunStatus) == (
        "created running waiting paused rolling_back settling completed failed rolled_back "
        "cancelled killed"
    )
    assert " ".join(WaitingReason) == (
        "approval timer child branches reconcile budget halted stuck changed quarantined"
    )
    assert " ".join(ApprovalStatus) == "open approved rejected expired changes_requested cancelled"
    assert " ".join(sorted(QUIET)) == (
        "approval.consumed approval.edited approval.extended branches.begun branches.ended budget.exceeded "
        "budget.overrun budget.reserved budget.settled budget.warned "
        "checkpoint.created compensation.begun compensation.failed compensation.finished "
        "monitor.fired patch.recorded run.adopted rung.fired step.begun step.failed step.finished "
        "value.recorded vote.recorded"
    )


def test_the_ends_are_these() -> None:
    assert {"completed", "failed", "rolled_back", "cancelled", "killed"} == TERMINAL
    assert not RunShape(status=RunStatus.WAITING, reason=WaitingReason.TIMER).is_terminal


def test_no_kind_is_both_quiet_and_loud() -> None:
    assert not set(QUIET) & set(KINDS)
    assert all(says.endswith(".") for says in QUIET.values())
    assert all(edge.says.endswith(".") for edge in (*RUN_EDGES, *APPROVAL_EDGES))


@given(st.lists(st.sampled_from([*KINDS, *QUIET]), max_size=30))
def test_a_run_is_always_in_a_state_it_can_explain(kinds: list[str]) -> None:
    now = apply(None, "run.created", {})
    for kind in kinds:
        try:
            now = apply(now, kind, {})
        except ImpossibleChange:
            continue
    assert (now.status is RunStatus.WAITING) <= (now.reason is not None)
    assert now.reason is None or now.status in {"waiting", "paused", "rolling_back"}
    asked = {None, WaitingReason.STUCK, WaitingReason.APPROVAL, WaitingReason.CHILD}
    assert now.status is not RunStatus.ROLLING_BACK or now.reason in asked


POSSIBLE_APPROVALS = {
    (None, "approval.opened", "open"),
    ("changes_requested", "approval.opened", "open"),
    ("open", "approval.edited", "open"),
    *(("open", "approval.decided", status) for status in ApprovalStatus if status != "open"),
}


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    list(
        product(
            [None, *ApprovalStatus],
            ["approval.opened", "approval.edited", "approval.decided", "vote.recorded"],
            ApprovalStatus,
        )
    ),
)
def test_an_approval_changes_as_its_table_says(
    before: ApprovalStatus | None, kind: str, after: ApprovalStatus
) -> None:
    if (before, kind, after) in POSSIBLE_APPROVALS:
        assert change_approval(before, kind, after) is after
    else:
        with pytest.raises(ImpossibleChange, match=str(before or "not yet opened")):
            change_approval(before, kind, after)


def test_the_page_shows_every_edge_and_every_quiet_entry() -> None:
    page = states_page()

    for edge in RUN_EDGES:
        assert f"| `{edge.entry_kind}` |" in page
        assert edge.says in page
        for before in edge.before:
            assert f"    {before} --> {edge.after}: {edge.entry_kind}" in page
    for kind, says in QUIET.items():
        assert f"| `{kind}` | {says} |" in page
    for approval_edge in APPROVAL_EDGES:
        assert f"`{approval_edge.after}` | {approval_edge.says} |" in page


@pytest.mark.parametrize(
    "line",
    [
        "# States\n",
        "## A run\n\n```mermaid\nstateDiagram-v2\n    [*] --> created: run.created\n",
        "    rolled_back --> [*]\n```\n",
        "| journal entry | before | after | says |\n| --- | --- | --- | --- |\n| `run.created` |",
        "| journal entry | says |\n| --- | --- |\n",
        "| journal entry | before | after | says |\n| --- | --- | --- | --- |\n| `approval.opened`",
        "    completed --> [*]",
        "| `run.created` | nothing | `created` | Somebody starts it. |",
        "| `approval.opened` | `running` | `waiting` (approval) | It asks people. |",
        "| `run.changed` | `rolling_back`, `running` | `waiting` (changed) |",
        "| `run.retried` | `waiting` (changed, stuck) | `running` | It is tried again. |",
        "| `run.rolled_back` | `rolling_back` without a reason | `rolled_back` | All is undone. |",
        "| `run.paused` | `created`, `running`, `waiting` | `paused`, the reason stays |",
        "| `run.resumed` | `paused` with a reason | `waiting`, the reason stays |",
        "Only `vote.recorded` may still come after the end of a run.",
        "Terminal: `cancelled`, `completed`, `failed`, `killed`, `rolled_back`.",
        "| `approval.opened` | nothing | `open` | The run asks. |",
    ],
)
def test_the_page_is_written_so(line: str) -> None:
    assert f"\n{line}" in f"\n{states_page()}"
