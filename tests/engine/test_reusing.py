"""Steps that only find something out: an equal call is answered without being made, for a while."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import runs
from engine.store import reuse
from engine.store.database import Transaction
from engine.store.reuse import BYTES_MAX, Kept
from tests.engine import thrifty
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def asked() -> list[str]:
    thrifty.ASKED.clear()
    return thrifty.ASKED


async def summary(stage: Stage, run: RunId) -> Mapping[str, Any]:
    picture: Mapping[str, Any] = (await stage.picture(run)).to_json()
    found: Mapping[str, Any] = picture["summary"]
    return found


@pytest.mark.parametrize("how", ["irreversible", "undo", "request_id", "91d", "soon"])
async def test_what_has_an_effect_is_never_answered_so(
    stage: Stage, asked: list[str], how: str
) -> None:
    run = await stage.start("not_thrifty", how=how)

    assert (await stage.picture(run)).row.status == "failed"
    assert asked == []


async def test_a_failure_is_not_kept(stage: Stage, asked: list[str]) -> None:
    for _run in range(2):
        await stage.start("thrifty", question="fail")

    assert asked == ["fail", "fail"]


async def test_another_question_workflow_or_version_is_another_call(
    stage: Stage, asked: list[str]
) -> None:
    await stage.start("thrifty", question="bees")
    await stage.start("thrifty", question="ants")
    await stage.start("other_thrifty", question="bees")

    assert asked == ["bees", "ants", "bees"]


async def test_an_equal_call_is_answered_costs_nothing_and_says_what_was_saved(
    stage: Stage, asked: list[str]
) -> None:
    first = await stage.start("thrifty", question="bees", times=2)
    second = await stage.start("thrifty", question="bees")

    assert asked == ["bees"]
    assert (await stage.picture(second)).row.result == [{"answer": "BEES"}]
    paid, free = await summary(stage, first), await summary(stage, second)
    assert (paid["cost"], paid["tokens"]) == ("0.07 USD", 40)
    assert paid["saved"] == free["saved"] == {"cost": "0.07 USD", "tokens": 40}
    assert (free["cost"], free["steps"]) == (None, 1)
    assert await stage.is_sound(second)


async def test_it_is_told_where_the_answer_is_from(stage: Stage) -> None:
    first = await stage.start("thrifty", question="bees")
    second = await stage.start("thrifty", question="bees")

    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, second, after=-1, limit=100)
    )
    (finished,) = [each for each in entries if each.kind == "step.finished"]
    assert finished.data["reused"]["run"] == first


async def test_when_its_time_is_over_it_is_asked_again(stage: Stage, asked: list[str]) -> None:
    await stage.start("thrifty", question="bees", keep="1h")
    await stage.pass_time(HOUR)
    await stage.start("thrifty", question="bees", keep="1h")

    assert asked == ["bees", "bees"]


async def test_results_are_their_tenants_and_not_without_end(stage: Stage) -> None:
    def keep(tx: Transaction, key: str, result: object) -> None:
        kept = Kept(result=result, cost={}, run=RunId("run_1"), made_at=tx.now)
        until = tx.now + HOUR * (1 + len(key))
        reuse.keep(tx, DEFAULT_TENANT, key, kept, until=until)

    def known(tx: Transaction) -> list[bool]:
        return [reuse.find(tx, DEFAULT_TENANT, key) is not None for key in ("a", "bb", "ccc", "d")]

    for key, result in (("a", "x"), ("bb", "x"), ("ccc", "x"), ("d", "x" * BYTES_MAX)):
        await stage.database.write(partial(keep, key=key, result=result))
    before = await stage.database.read(known)
    await stage.database.write(lambda tx: reuse.prune(tx, DEFAULT_TENANT, rows_max=2))

    assert before == [True, True, True, False]
    assert await stage.database.read(known) == [False, True, True, False]
