"""What a hand changes in budgets, switches, rungs and messages is found, for journals say otherwise."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.services import auditing, claiming, halting, runs
from engine.services.claiming import Asked
from engine.store.database import Database
from tests.clock import ManualClock
from tests.engine import spenders
from tests.engine.stage import Stage
from tests.engine.test_budgets import Lost, given_budget
from tests.engine.test_switches import operator

pytestmark = pytest.mark.anyio

ORDER = Asked(
    tenant=DEFAULT_TENANT,
    namespace="shop",
    request_id="order-17",
    action="refund",
    payload={"usd": "1.00"},
    token="t" * 32,
    by="key:agent",
    lease_for=timedelta(minutes=5),
)


SHOWN = (
    "INSERT INTO messages (id, tenant, approval, channel, address, serial, state, shown_version)"
    " SELECT 'msg_1', tenant, id, 'web', 'x', 0, 'posted', 9 FROM approvals LIMIT 1"
)


@pytest.fixture
async def guarded(database: Database, clock: ManualClock) -> Stage:
    """Runs under a budget that were paid, and asked for more, and a run that people are asked about."""
    stage = Stage(database, clock)
    await stage.prepare()
    spenders.TILL.clear()
    spenders.TROUBLE.clear()
    await given_budget(stage, {"usd": "0.20"}, then="wait", approvers="person:bo")
    await stage.start("loop", steps=3)
    await stage.start("deploy")
    await database.write(lambda tx: claiming.claim(tx, ORDER))
    await database.write(
        lambda tx: halting.engage(tx, operator(None), "workflow:other", reason="Stop.")
    )
    return stage


async def found(stage: Stage) -> list[str]:
    report = await auditing.verify(stage.database, DEFAULT_TENANT, trusted=[])
    return [each.says for each in report.findings]


async def changed(stage: Stage, script: str) -> None:
    await stage.database.write(lambda tx: tx.connection.execute(text(script)).rowcount)


async def test_what_nobody_touched_agrees(guarded: Stage) -> None:
    assert await found(guarded) == []


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("UPDATE usages SET spent = spent - 1", "and the journals"),
        ("UPDATE usages SET spent = spent + 1", "and the journals"),
        ("UPDATE usages SET granted = 7000000", "was granted"),
        ("UPDATE usages SET reserved = 5", "not what its runs hold"),
        ("DELETE FROM usages", "and the journals"),
        ("DELETE FROM switches", "is not there any more"),
        ("UPDATE switches SET scope = 'workflow:x'", "was engaged by nobody"),
        ("DELETE FROM timers", "that are to fire"),
        ("UPDATE timers SET fired_at = due_at", "that fired are not those"),
        (
            SHOWN,
            "a version that the journal does not have",
        ),
        ("UPDATE receipts SET payload = '7'", "its fingerprint stands for"),
        ("UPDATE runs SET reserved = '{}' WHERE reserved IS NULL", "what is kept back"),
    ],
)
async def test_what_a_hand_changed_is_found(guarded: Stage, script: str, says: str) -> None:
    await changed(guarded, script)

    sentences = await found(guarded)

    assert any(says in each for each in sentences), sentences


async def test_what_is_kept_back_for_a_lost_step_agrees_until_somebody_changes_it(
    guarded: Stage,
) -> None:
    await given_budget(guarded, {"usd": "9.00"})
    spenders.TROUBLE.append(Lost())
    with pytest.raises(BaseExceptionGroup):
        await guarded.start("loop")

    assert await found(guarded) == []
    await changed(guarded, "UPDATE runs SET reserved = NULL")
    assert any("what is kept back" in each for each in await found(guarded))


async def test_what_people_granted_agrees(guarded: Stage) -> None:
    listed = await guarded.database.read(lambda tx: runs.page(tx, DEFAULT_TENANT))
    asking = next(row.id for row in listed if row.workflow == "raise-budget")

    await guarded.vote(RunId(asking), PersonId("bo"))

    assert await found(guarded) == []
    for row in listed:
        assert await guarded.is_sound(row.id)
