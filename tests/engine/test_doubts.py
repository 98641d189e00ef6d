"""A branch whose effect nobody knows waits for operators alone; the others come to their own waits."""

import pytest

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, RunId
from engine.services import effects as settling
from engine.services import halting, rolling_back
from engine.services.effects import Outcome, Settlement
from engine.services.rolling_back import Order
from tests.engine import effects
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def world() -> None:
    effects.prepare()
    effects.ENDS[:] = [OSError("reset"), OSError("reset")]


async def settle(
    stage: Stage, run: RunId, outcome: Outcome, number: int | None = None, which: str | None = None
) -> None:
    """An operator says how one of them ended, and the run goes on."""
    result = None if number is None else {"number": number, "what": "seen"}
    said = Settlement(
        outcome=outcome, result=result, by="person:ana", reason="I looked.", request_id=which
    )
    await stage.database.write(lambda tx: settling.settle(tx, DEFAULT_TENANT, run, said))
    await stage.worker().drain()


async def standing(stage: Stage, run: RunId) -> str:
    row = (await stage.picture(run)).row
    return f"{row.status}:{row.reason}" if row.reason else str(row.status)


async def test_which_one_is_meant_must_be_said_where_several_are_unknown(stage: Stage) -> None:
    run = await stage.start("fleet")

    with pytest.raises(Conflict, match="by its request id") as several:
        await settle(stage, run, "happened")
    with pytest.raises(Conflict, match="under the request id run_1") as other:
        await settle(stage, run, "happened", which="run_1")

    assert (several.value.code, other.value.code) == ("several_unknown", "not_unknown")
    assert f"{run}:0.left.0 (fire)" in str(several.value)


async def test_the_other_branches_come_to_their_waits(stage: Stage) -> None:
    run = await stage.start("fleet")

    picture = await stage.picture(run)
    assert await standing(stage, run) == "waiting:branches"
    assert [each.status for each in picture.approvals] == ["open"]
    assert [each["request_id"] for each in picture.unknown] == [
        f"{run}:0.left.0",
        f"{run}:0.right.0",
    ]
    assert await stage.is_sound(run)


async def test_each_is_settled_by_itself_and_none_is_made_again_by_chance(stage: Stage) -> None:
    run = await stage.start("fleet")

    await settle(stage, run, "happened", 7, f"{run}:0.right.0")
    between = await stage.picture(run)
    await settle(stage, run, "did_not_happen")
    await stage.vote(run, "ana")

    assert [each["request_id"] for each in between.unknown] == [f"{run}:0.left.0"]
    assert between.row.status == "waiting"
    assert (await stage.picture(run)).row.result == {"left": 3, "right": 7, "asked": 0}
    assert effects.SENT.count(f"{run}:0.left.0") == 2
    assert (await stage.kinds(run)).count("effect.unknown") == 2
    assert await stage.is_sound(run)


async def test_what_is_settled_while_the_run_is_paused_waits_until_it_is_resumed(
    stage: Stage,
) -> None:
    run = await stage.start("fleet")
    await stage.database.write(
        lambda tx: halting.pause(tx, DEFAULT_TENANT, run, by="person:ana", reason="Look.")
    )

    for side in ("left", "right"):
        await settle(stage, run, "happened", 1, f"{run}:0.{side}.0")

    assert await standing(stage, run) == "paused:branches"
    await stage.resume(run)
    await stage.vote(run, "ana")
    assert await standing(stage, run) == "completed"
    assert await stage.is_sound(run)


async def test_a_rollback_leaves_nothing_to_settle(stage: Stage) -> None:
    run = await stage.start("fleet")
    order = Order(reason="Enough.", by="person:ana")
    await stage.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))
    await stage.worker().drain()

    with pytest.raises(Conflict) as refused:
        await settle(stage, run, "happened", 1, f"{run}:0.left.0")

    assert refused.value.code == "not_unknown"
    assert (await stage.picture(run)).unknown == []
