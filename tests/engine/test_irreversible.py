"""An irreversible step is dispatched at most once; what nobody knows is asked of its probe, then of people."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId
from engine.services import effects as settling
from engine.services import runs
from engine.services.effects import Outcome, Settlement
from engine.store.database import Transaction
from engine.store.journal import Entry
from tests.engine import effects
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def world() -> None:
    effects.prepare()


async def settle(stage: Stage, run: RunId, outcome: Outcome, result: object = None) -> None:
    said = Settlement(outcome=outcome, result=result, by="person:ana", reason="I looked.")
    await stage.database.write(lambda tx: settling.settle(tx, DEFAULT_TENANT, run, said))
    await stage.worker().drain()


async def standing(stage: Stage, run: RunId) -> str:
    row = (await stage.picture(run)).row
    return f"{row.status}:{row.reason}" if row.reason else str(row.status)


async def test_its_beginning_is_journaled_before_its_effect(stage: Stage) -> None:
    run = await stage.start("launch")

    assert list(effects.SENT) == [f"{run}:0"]
    kinds = await stage.kinds(run)
    assert kinds == ["run.created", "run.started", "step.begun", "step.finished", "run.completed"]
    assert await stage.is_sound(run)


@pytest.mark.parametrize(
    ("failure", "status", "sent"),
    [
        pytest.param(ConnectionRefusedError(), "completed", 2, id="it certainly did nothing"),
        pytest.param(ConnectionResetError(), "waiting:reconcile", 1, id="it may have"),
    ],
)
async def test_what_its_author_calls_harmless_is_tried_again(
    stage: Stage, failure: Exception, status: str, sent: int
) -> None:
    effects.ENDS.append(failure)

    run = await stage.start(
        "launch", retries={"no_effect": ["ConnectionRefusedError"], "only": ["ConnectionError"]}
    )
    await stage.pass_time(MINUTE)

    assert (await standing(stage, run), len(effects.SENT)) == (status, sent)
    assert await stage.is_sound(run)


@pytest.mark.parametrize("failure", [TimeoutError(), OSError("reset"), RuntimeError("500")])
async def test_a_failure_that_does_not_tell_is_never_tried_again(
    stage: Stage, failure: Exception
) -> None:
    effects.ENDS.append(failure)

    run = await stage.start("launch", retries=5)
    await stage.pass_time(MINUTE)

    assert len(effects.SENT) == 1
    assert await standing(stage, run) == "waiting:reconcile"
    (step,) = (await stage.picture(run)).steps
    assert (step.status, step.attempts) == ("unknown", 1)
    assert await stage.is_sound(run)


async def test_a_failure_that_certainly_did_nothing_is_tried_again(stage: Stage) -> None:
    effects.ENDS.extend([effects.certainly(), effects.certainly()])

    run = await stage.start("launch")
    await stage.pass_time(MINUTE)
    await stage.pass_time(MINUTE)

    assert list(effects.SENT) == [f"{run}:0"]
    assert await standing(stage, run) == "completed"
    assert (await stage.kinds(run)).count("step.begun") == 3


async def test_what_the_target_declines_is_final_and_known(stage: Stage) -> None:
    effects.ENDS.append(effects.declined())

    run = await stage.start("launch", retries=5)

    assert await standing(stage, run) == "failed"
    assert (await stage.picture(run)).undoes == ()


async def test_the_operators_are_told_what_to_do(stage: Stage) -> None:
    effects.ENDS.append(OSError("reset"))

    run = await stage.start("launch")

    entry = (await _entries(stage, run))[-1]
    assert entry.kind == "effect.unknown"
    assert entry.data["error"] == {"message": "reset", "type": "OSError"}
    assert entry.data["unclear"] == "The step has no probe."
    assert entry.data["request_id"] == f"{run}:0"


async def test_one_that_happened_returns_what_the_operator_found(stage: Stage) -> None:
    effects.ENDS.append(OSError("reset"))
    run = await stage.start("launch")

    await settle(stage, run, "happened", {"number": 3, "what": "seen"})

    assert await standing(stage, run) == "completed"
    assert (await stage.picture(run)).row.result == {"number": 3, "what": "seen"}
    assert len(effects.SENT) == 1
    assert await stage.is_sound(run)


async def test_one_that_did_not_happen_is_made_once_more(stage: Stage) -> None:
    effects.ENDS.append(OSError("reset"))
    run = await stage.start("launch")

    await settle(stage, run, "did_not_happen")

    assert await standing(stage, run) == "completed"
    assert list(effects.SENT) == [f"{run}:0"] * 2


async def test_only_what_is_unknown_can_be_settled(stage: Stage) -> None:
    run = await stage.start("launch")

    with pytest.raises(Conflict, match="unknown") as refused:
        await settle(stage, run, "happened")

    assert refused.value.code == "not_unknown"


async def test_a_probe_that_finds_it_ends_the_doubt(stage: Stage) -> None:
    effects.ENDS.append(OSError("reset"))
    effects.PROBES.append(effects.there)

    run = await stage.start("launch", probes=True)

    assert (await stage.picture(run)).row.result == {"number": 7, "what": "found"}
    assert len(effects.SENT) == 1
    assert await stage.is_sound(run)


async def test_a_probe_that_does_not_find_it_lets_it_be_tried_again(stage: Stage) -> None:
    effects.ENDS.append(OSError("reset"))
    effects.PROBES.append(effects.not_there)

    run = await stage.start("launch", probes=True)
    await stage.pass_time(MINUTE)

    assert await standing(stage, run) == "completed"
    assert len(effects.SENT) == 2


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (effects.cannot_tell, "being mended"),
        (effects.breaks, "no route"),
        (effects.odd, "a bool, which is no answer"),
        (effects.unkeepable, "cannot be kept as JSON"),
    ],
)
async def test_a_probe_that_cannot_tell_leaves_it_to_people(
    stage: Stage, answer: Callable[[], object], why: str
) -> None:
    effects.ENDS.append(OSError("reset"))
    effects.PROBES.append(answer)

    run = await stage.start("launch", probes=True)

    assert await standing(stage, run) == "waiting:reconcile"
    assert why in (await _entries(stage, run))[-1].data["unclear"]


async def test_what_may_have_happened_would_be_undone(stage: Stage) -> None:
    effects.ENDS.extend([effects.certainly(), OSError("reset")])

    run = await stage.start("launch")
    await stage.pass_time(MINUTE)

    assert (await stage.picture(run)).undoes == ("fire",)


async def test_consent_is_used_once_however_it_ends(stage: Stage) -> None:
    effects.ENDS.append(OSError("reset"))
    run = await stage.start("consented_launch")

    await stage.vote(run, "ana")
    await settle(stage, run, "did_not_happen")

    assert await standing(stage, run) == "completed"
    assert len(effects.SENT) == 2
    assert (await stage.kinds(run)).count("approval.consumed") == 1


async def _entries(stage: Stage, run: RunId) -> list[Entry]:
    def read(tx: Transaction) -> list[Entry]:
        return runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)

    found = await stage.database.read(read)
    assert json.dumps([entry.to_json() for entry in found])
    return found
