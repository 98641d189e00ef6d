"""HTTP steps carry their request id, tell their failures apart, and leave a failing target alone."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from engine.http import Egress
from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.breaker import FAILURES_MAX, FIRST_REST
from engine.runtime.snapshots import Told, snapshot
from engine.services import runs
from engine.store import journal
from engine.store import runs as stored
from tests.engine.stage import Stage
from tests.engine.targets import SILENCE, Target, target

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
async def there(stage: Stage) -> AsyncIterator[Target]:
    stage.egress = Egress(allow_nets=[ip_network("127.0.0.0/8")])
    async with target() as made:
        yield made


async def standing(stage: Stage, run: RunId) -> str:
    row = (await stage.picture(run)).row
    return f"{row.status}:{row.reason}" if row.reason else str(row.status)


async def test_a_private_address_is_refused_for_good(stage: Stage) -> None:
    run = await stage.start("charging", url="http://127.0.0.1:8080", retries=5)

    row = (await stage.picture(run)).row
    assert row.status == "failed"
    assert "not a public address" in str(row.error)


async def test_it_carries_its_request_id_and_canonical_bytes(stage: Stage, there: Target) -> None:
    run = await stage.start("charging", url=there.url)

    assert there.keys == [f"{run}:0"]
    assert there.bodies == [b'{"a":"1","b":"2"}']
    assert there.headers[0]["authorization"] == "Bearer hush"
    assert (await stage.picture(run)).row.result == {"charge": 1}


async def test_its_call_is_kept_at_a_checkpoint(stage: Stage, there: Target) -> None:
    run = await stage.start("charging", url=there.url)
    row, entries = await stage.database.read(
        lambda tx: (stored.get(tx, DEFAULT_TENANT, run), journal.entries(tx, run))
    )

    found: Any = snapshot(row, entries, Told(name="after", state={}))
    (call,) = found["calls"]

    assert (call["method"], call["endpoint"]) == ("POST", f"{there.url}/charges")
    assert (call["status"], call["answered"]) == ("finished", 200)
    assert call["arguments"]["kwargs"] == {"json": {"a": "1", "b": "2"}}
    assert "charge" in call["response"]


async def test_no_header_is_journaled(stage: Stage, there: Target) -> None:
    run = await stage.start("charging", url=there.url, irreversible=True)

    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )
    text = json.dumps([entry.to_json() for entry in entries])
    assert "POST" in text
    assert "content-type" in text
    assert "hush" not in text


@pytest.mark.parametrize(
    ("answer", "once", "freely"),
    [
        (400, "failed", "failed"),
        (404, "failed", "failed"),
        (302, "failed", "failed"),
        (429, "waiting:timer", "waiting:timer"),
        (409, "waiting:reconcile", "waiting:timer"),
        (500, "waiting:reconcile", "waiting:timer"),
        (503, "waiting:reconcile", "waiting:timer"),
        (SILENCE, "waiting:reconcile", "waiting:timer"),
    ],
)
async def test_what_an_answer_tells(
    stage: Stage, there: Target, answer: int, once: str, freely: str
) -> None:
    there.answers += [answer, answer]

    irreversible = await stage.start("charging", url=there.url, irreversible=True)
    ordinary = await stage.start("charging", url=there.url, retries=1)

    assert await standing(stage, irreversible) == once
    assert await standing(stage, ordinary) == freely


async def test_every_attempt_has_the_same_key(stage: Stage, there: Target) -> None:
    there.answers += [SILENCE, 500]

    run = await stage.start("charging", url=there.url, retries=2)
    await stage.pass_time(MINUTE)
    await stage.pass_time(MINUTE)

    assert there.keys == [f"{run}:0"] * 3
    assert await standing(stage, run) == "completed"


async def test_where_nobody_listens_nothing_was_done(stage: Stage, there: Target) -> None:
    run = await stage.start("charging", url=NOWHERE, irreversible=True)

    assert await standing(stage, run) == "waiting:timer"


async def test_a_failing_target_is_left_alone_by_everybody(stage: Stage, there: Target) -> None:
    there.answers += [500] * FAILURES_MAX
    for _run in range(FAILURES_MAX):
        await stage.start("charging", url=there.url)

    waiting = [await stage.start("charging", url=there.url, irreversible=True) for _ in range(3)]

    assert len(there.keys) == FAILURES_MAX
    assert {await standing(stage, run) for run in waiting} == {"waiting:timer"}
    assert "step.begun" not in await stage.kinds(waiting[0])


async def test_one_call_finds_out_that_it_is_well_again(stage: Stage, there: Target) -> None:
    there.answers += [500] * (FAILURES_MAX + 1)
    for _run in range(FAILURES_MAX):
        await stage.start("charging", url=there.url)
    waiting = [await stage.start("charging", url=there.url) for _ in range(3)]

    await stage.pass_time(FIRST_REST)
    tried = len(there.keys)
    await stage.pass_time(FIRST_REST * 2)
    await stage.pass_time(MINUTE)

    assert tried == FAILURES_MAX + 1
    states = sorted([await standing(stage, run) for run in waiting])
    assert states == ["completed", "completed", "failed"]
    assert all([await stage.is_sound(run) for run in waiting])
