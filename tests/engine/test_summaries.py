"""What is told of a run that has ended: every step, what it cost, how long it took, and why it ended."""

from datetime import timedelta
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.states import RunStatus
from engine.services import halting, runs
from tests.engine.flows import FAIL
from tests.engine.stage import Stage
from tests.engine.test_budgets import DEMO, given_budget

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


async def events(stage: Stage, run: RunId) -> list[tuple[Any, ...]]:
    """The journal of a run without the names of single runs and approvals, and without hashes."""
    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=1000)
    )
    own = {run: "RUN", **{str(e.data.get("approval")): "APR" for e in entries}}
    told = [(e.position, e.kind, e.name, e.path, str(dict(e.data)), e.at) for e in entries]
    return [tuple(_renamed(part, own) for part in each) for each in told]


def _renamed(part: object, own: dict[Any, str]) -> object:
    if isinstance(part, str):
        for name, plain in own.items():
            part = part.replace(name, plain)
    return part


@pytest.mark.parametrize("workflow", ["loop", "deploy", "harmlessly"])
async def test_the_same_input_gives_the_same_events(stage: Stage, workflow: str) -> None:
    given = {"steps": 3} if workflow == "loop" else {}

    first, second = [await stage.start(workflow, **given) for _each in range(2)]

    found = await events(stage, first)
    assert len(found) > 3
    assert found == await events(stage, second)


async def test_what_a_budget_stopped_is_told_with_every_step_and_why(stage: Stage) -> None:
    await given_budget(stage, DEMO, scope="workflow:loop", per="run")

    run = await stage.start("loop")

    told: Any = (await stage.picture(run)).to_json()
    summary = told["summary"]
    assert (told["id"], told["status"], summary["steps"]) == (run, "failed", 5)
    assert (summary["cost"], summary["tokens"]) == ("0.50 USD", 250)
    assert summary["duration_ms"] == 0
    assert "0.50 USD" in summary["ended_because"]
    assert {step["kind"] for step in told["steps"]} == {"step"}
    assert all(step["started_at"] and step["ended_at"] for step in told["steps"])
    assert [step["cost"] for step in told["steps"]] == ["0.10 USD"] * 5 + [None]
    assert told["error"].keys() >= {"code", "message", "limit", "spent", "asked", "scope", "unit"}


async def test_what_waited_is_told_with_its_kinds_of_steps_and_how_long(stage: Stage) -> None:
    FAIL["undo smoke"] = 1
    run = await stage.start("deploy")
    await stage.pass_time(90 * MINUTE)

    await stage.vote(run, "dana", "reject", comment="not on a Friday")
    await stage.pass_time(MINUTE)

    told: Any = (await stage.picture(run)).to_json()
    kinds = [(step["kind"], step["status"]) for step in told["steps"]]
    assert kinds[:3] == [("step", "finished")] * 3
    assert kinds[3] == ("approval", "rejected")
    assert kinds[4:] == [("compensation", "finished")] * 3
    assert told["summary"]["duration_ms"] >= 90 * MINUTE / timedelta(milliseconds=1)
    assert "not on a Friday" in told["summary"]["ended_because"]


async def test_who_changed_the_state_of_a_run_is_told_and_why(stage: Stage) -> None:
    run = await stage.start("deploy")

    def stop(tx: Any) -> None:
        halting.pause(tx, DEFAULT_TENANT, run, by="person:ana", reason="Wait.")
        runs.resume(tx, DEFAULT_TENANT, run, by="person:bo", reason="Go on.")
        halting.kill(tx, DEFAULT_TENANT, run, by="key:agent", reason="Enough.")

    await stage.database.write(stop)

    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=1000)
    )
    told = [(e.kind, e.data.get("by"), e.data.get("reason")) for e in entries if "by" in e.data]
    assert [each for each in told if each[0].startswith("run.")] == [
        ("run.paused", "person:ana", "Wait."),
        ("run.resumed", "person:bo", "Go on."),
        ("run.killed", "key:agent", "Enough."),
    ]
    assert (await stage.picture(run)).row.status is RunStatus.KILLED


async def test_each_change_of_state_is_told_with_what_was_before_and_after(stage: Stage) -> None:
    run = await stage.start("kept-at-approvals")
    await stage.vote(run, "ana", comment="Fine.")

    found = await stage.database.read(lambda tx: runs.changes(tx, DEFAULT_TENANT, run))
    told: Any = [each.to_json() for each in found]

    states = [
        None if each is None else (each["status"], each["reason"])
        for each in (told[0]["before"], *(each["after"] for each in told))
    ]
    assert states == [
        None,
        ("created", None),
        ("running", None),
        ("waiting", "approval"),
        ("running", None),
        ("completed", None),
    ]
    assert [each["before"] for each in told[1:]] == [each["after"] for each in told[:-1]]
    assert (told[0]["by"], told[1]["by"]) == (["key:agent"], [])
    assert told[2]["checkpoint"] == "before publish"
    decided = told[3]
    assert (decided["kind"], decided["by"]) == ("approval.decided", ["ana"])
    assert decided["says"] == "People decided."


async def test_going_back_is_among_the_changes_of_a_run(stage: Stage) -> None:
    run = await stage.start("deploy")
    await stage.vote(run, "dana", "reject", comment="not on a Friday")

    found = await stage.database.read(lambda tx: runs.changes(tx, DEFAULT_TENANT, run))
    told: Any = [each.to_json() for each in found]

    decided = next(each for each in told if each["kind"] == "approval.decided")
    assert (decided["by"], decided["reason"]) == (["dana"], "not on a Friday")
    back = next(each for each in told if each["kind"] == "rollback.started")
    assert (back["before"], back["after"]["status"]) == (told[-3]["after"], "rolling_back")
    assert told[-1]["after"] == {"status": "rolled_back", "reason": None}
    assert len({each["position"] for each in told}) == len(told)
