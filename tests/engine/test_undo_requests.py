"""Undos that are requests: with their own request id, filled from what was returned, and no secret kept."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import pytest

from engine.http import Egress
from engine.ids import DEFAULT_TENANT, RunId
from engine.secrets import Secret, Secrets
from engine.services import runs
from tests.engine.stage import Stage
from tests.engine.targets import SILENCE, Target, target

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
HUSH = "sk_hush_17"


def bank(*hosts: str) -> Secrets:
    return Secrets({"BANK": Secret(value=HUSH, hosts=hosts)})


@pytest.fixture
async def there(stage: Stage) -> AsyncIterator[Target]:
    stage.egress = Egress(allow_nets=[ip_network("127.0.0.0/8")])
    stage.secrets = bank("127.0.0.1")
    async with target() as made:
        yield made


async def rejected(stage: Stage, there: Target, **given: str) -> RunId:
    run = await stage.start("undone_by_request", url=there.url, **given)
    await stage.vote(run, "ana", "reject", comment="wrong")
    return run


async def journal(stage: Stage, run: RunId) -> str:
    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )
    return json.dumps([entry.to_json() for entry in entries])


@pytest.mark.parametrize("secrets", [bank("bank.example.com"), bank(), Secrets()])
async def test_a_secret_that_is_not_for_this_host_is_never_sent(
    stage: Stage, there: Target, secrets: Secrets
) -> None:
    stage.secrets = secrets

    run = await stage.start("undone_by_request", url=there.url)

    row = (await stage.picture(run)).row
    assert (row.status, there.asked) == ("failed", [])
    assert "secret" in str(row.error)


async def test_a_secret_is_sent_and_not_kept_even_where_the_target_sends_it_back(
    stage: Stage, there: Target
) -> None:
    there.echoes = True
    run = await rejected(stage, there)

    kept = await journal(stage, run)
    assert [each["authorization"] for each in there.headers] == [f"Bearer {HUSH}"] * 2
    assert HUSH not in kept
    assert "Bearer [secret]" in kept
    assert "Bearer ${secret.BANK}" in kept  # as the undo was written


async def test_it_is_filled_from_the_answer_and_carries_a_request_id_of_its_own(
    stage: Stage, there: Target
) -> None:
    run = await rejected(stage, there)

    picture = await stage.picture(run)
    assert there.asked == ["POST /charges", "DELETE /charges/1"]
    assert there.keys == [f"{run}:0", f"{run}:0:undo"]
    assert there.bodies[1] == b'{"why":"rejected 1"}'
    assert picture.row.status == "rolled_back"
    assert picture.rollback is not None
    assert [each.request_id for each in picture.rollback.compensations] == [f"{run}:0:undo"]


async def test_a_repeat_carries_the_same_request_id(stage: Stage, there: Target) -> None:
    there.answers[:] = [200, SILENCE, 503]
    run = await rejected(stage, there)

    for _try in range(2):
        await stage.pass_time(MINUTE)

    assert there.keys[1:] == [f"{run}:0:undo"] * 3
    assert (await stage.picture(run)).row.status == "rolled_back"


async def test_what_the_target_declines_is_left_to_operators_at_once(
    stage: Stage, there: Target
) -> None:
    there.answers[:] = [200, 404]

    run = await rejected(stage, there)

    assert (await stage.picture(run)).row.reason == "stuck"
    assert len(there.keys) == 2


async def test_a_field_that_was_not_returned_is_told(stage: Stage, there: Target) -> None:
    run = await rejected(stage, there, undo="/charges/{id}")

    for _try in range(2):
        await stage.pass_time(MINUTE)

    assert (await stage.picture(run)).row.reason == "stuck"
    assert "has no 'id'" in await journal(stage, run)
    assert there.asked == ["POST /charges"]
