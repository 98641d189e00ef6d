"""Checkpoints: what they keep, compressed and proved, compared, carried about, and made by themselves."""

import gzip
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engine.digest import canonical, sha256
from engine.errors import Fault, Invalid
from engine.ids import DEFAULT_TENANT, RunId
from engine.runtime.snapshots import Told
from engine.runtime.snapshots import snapshot as snapshot_now
from engine.services import artifacts, checkpoints
from engine.store import journal, runs
from engine.store.database import Transaction
from signoff.layers import check_layers
from tests.engine.flows import FAIL
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

PARTS = {"memory", "calls", "outputs", "trace", "resources"}
LAYERS = {"asked", "task", "context"}


async def snapshot(stage: Stage, run: RunId, name: str) -> Any:
    """What a checkpoint keeps."""
    return await stage.database.read(
        lambda tx: checkpoints.snapshot_of(tx, DEFAULT_TENANT, run, name)
    )


async def listed(stage: Stage, run: RunId) -> list[Any]:
    """The run's checkpoints."""
    return [*await stage.database.read(lambda tx: checkpoints.listed(tx, DEFAULT_TENANT, run))]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        pytest.param({"sumary": "x"}, TypeError, id="a key that is none"),
        pytest.param({"confidence": 1.2}, ValueError, id="more than certain"),
        pytest.param({"confidence": {"a": "much"}}, ValueError, id="no number"),
    ],
)
def test_a_layer_says_only_what_it_may(asked: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_layers(asked, None)


async def test_a_checkpoint_keeps_five_parts_and_three_layers(stage: Stage) -> None:
    run = await stage.start("layered")

    found = await snapshot(stage, run, "worked")

    assert found.keys() >= PARTS | LAYERS
    assert found["memory"] == {"facts": ["x" * 4000]}
    assert found["asked"] == {"summary": "Tidied", "confidence": 0.9}
    assert found["task"]["next_steps"] == ["rest"]
    assert found["outputs"] == {"work": "work"}  # of the same drive, too
    assert [(call["step"], call["status"]) for call in found["calls"]] == [("work", "finished")]
    assert (found["resources"]["cost"], found["resources"]["tokens"]) == ("0.25 USD", 900)
    assert (found["resources"]["steps"], found["id"]) == (1, f"{run}@{found_at(found)}")
    assert found["resources"].keys() == {"steps", "calls", "seconds", "approvals", "cost", "tokens"}
    assert found["trace"][-1] == "step.finished work"


async def test_a_call_is_kept_with_what_was_sent_and_what_came_back(stage: Stage) -> None:
    run = await stage.start("staged")
    await stage.vote(run, "ana")

    found = (await snapshot(stage, run, "before ship"))["calls"]

    build = next(call for call in found if call["step"] == "build")
    assert build["fn"] == "tests.engine.flows:deed"
    assert build["arguments"] == {"args": ["build"], "kwargs": {}}
    assert (build["status"], build["response"]) == ("finished", "build")
    assert build["at"].startswith("2026-01-15T12:00")


async def test_an_ordinary_call_is_kept_with_what_was_sent_whenever_it_ended(
    stage: Stage,
) -> None:
    FAIL["twice"] = 1
    run = await stage.start("retrying", deed_name="twice", retries=1)
    await stage.pass_time(timedelta(minutes=1))
    row, entries = await stage.database.read(
        lambda tx: (runs.get(tx, DEFAULT_TENANT, run), journal.entries(tx, run))
    )

    found: Any = snapshot_now(row, entries, Told(name="after", state={}))["calls"]

    assert [call["status"] for call in found] == ["failed", "finished"]
    assert [call["fn"] for call in found] == ["tests.engine.flows:deed"] * 2
    assert [call["arguments"] for call in found] == [{"args": ["twice"], "kwargs": {}}] * 2
    assert sum("arguments" in entry.data for entry in entries) == 1
    assert found[1]["response"] == "twice"


def found_at(snapshot: Any) -> int:
    """The position that a snapshot was made at: one line before its own."""
    return len(snapshot["trace"]) - 1


async def test_it_is_kept_compressed_under_the_hash_of_what_it_says(stage: Stage) -> None:
    run = await stage.start("layered")
    (kept,) = await listed(stage, run)
    name = kept["artifact"]

    found = await stage.database.read(lambda tx: artifacts.get(tx, DEFAULT_TENANT, name))

    assert sha256(found.content) == name
    assert kept["uri"] == f"artifact:{name}"
    assert kept["stored_bytes"] < len(found.content) / 4
    assert found.content == canonical(await snapshot(stage, run, "worked"))


@pytest.mark.parametrize(
    "bytes_there", [b"other", gzip.compress(b"other", mtime=0), b"\x1f\x8b broken"], ids=str
)
async def test_bytes_that_are_not_what_their_name_says_are_refused(
    stage: Stage, bytes_there: bytes
) -> None:
    run = await stage.start("layered")

    def spoil(tx: Transaction) -> None:
        tx.connection.execute(text("UPDATE artifacts SET content = :it"), {"it": bytes_there})

    await stage.database.write(spoil)

    with pytest.raises(Fault, match="is damaged"):
        await snapshot(stage, run, "worked")


async def test_two_checkpoints_are_compared(stage: Stage) -> None:
    run = await stage.start("staged")
    await stage.vote(run, "ana")

    found = await stage.database.read(
        lambda tx: checkpoints.compare(tx, DEFAULT_TENANT, run, "before build", "before ship")
    )

    assert found.changed["/memory/stage"] == ("build", "ship")
    assert found.added["/outputs/build"] == "build"
    assert not any(at.startswith("/outputs") for at in found.removed)


async def test_an_export_is_imported_under_its_own_address_or_not_at_all(stage: Stage) -> None:
    run = await stage.start("layered")
    (kept,) = await listed(stage, run)
    exported = await snapshot(stage, run, "worked")

    def taken_in(tx: Transaction, said: Any) -> str:
        return checkpoints.import_snapshot(tx, DEFAULT_TENANT, said, address=kept["uri"])

    assert await stage.database.write(lambda tx: taken_in(tx, exported)) == kept["artifact"]
    with pytest.raises(Invalid, match="was changed since"):
        await stage.database.write(lambda tx: taken_in(tx, {**exported, "memory": {}}))


@pytest.mark.parametrize(
    ("workflow", "names"),
    [
        ("kept-at-approvals", ["before publish"]),
        ("kept-at-steps", ["before write", "before publish"]),
    ],
)
async def test_a_workflow_has_checkpoints_made_by_themselves(
    stage: Stage, workflow: str, names: list[str]
) -> None:
    run = await stage.start(workflow)

    await stage.vote(run, "ana")

    picture = await stage.picture(run)
    assert [each["name"] for each in picture.checkpoints] == names
    assert picture.row.status == "completed"
    assert await stage.is_sound(run)


async def test_what_is_kept_before_a_critical_step_is_how_it_was_before_it(stage: Stage) -> None:
    run = await stage.start("kept-at-steps")

    found = await snapshot(stage, run, "before write")

    kinds = await stage.kinds(run)
    assert kinds.index("checkpoint.created") < kinds.index("step.begun")
    assert found["outputs"] == {"read": "read"}
    assert [call["step"] for call in found["calls"]] == ["read"]


async def test_what_waits_for_people_has_its_state_kept_before_they_are_asked(
    stage: Stage,
) -> None:
    run = await stage.start("kept-at-approvals")

    kinds = await stage.kinds(run)
    assert (await stage.picture(run)).row.status == "waiting"
    assert kinds.index("checkpoint.created") < kinds.index("approval.opened")
    found = await snapshot(stage, run, "before publish")
    assert found.keys() >= PARTS | LAYERS
    assert found["outputs"] == {"read": "read", "write": "write"}


async def test_what_was_left_behind_is_no_place_to_go_back_to(stage: Stage) -> None:
    run = await stage.start("staged", on_reject="resume")
    await stage.vote(run, "ana", "reject", comment="no")

    assert [each["is_live"] for each in await listed(stage, run)] == [False, True]
