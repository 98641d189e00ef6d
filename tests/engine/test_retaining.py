"""What is old goes behind a signed summary, and what is left still proves itself."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from engine.errors import EngineError
from engine.ids import DEFAULT_TENANT, RunId
from engine.services import anchoring, auditing, legal_holds, retaining
from engine.services.retaining import Pruned, Terms
from engine.store import chains
from engine.store.database import Transaction
from engine.store.findings import Report
from engine.store.runs import RunRow
from tests.clock import ManualClock
from tests.engine.stage import Stage
from tests.engine.test_erasing import SIGNER, exported, is_whole

pytestmark = pytest.mark.anyio

TERMS = Terms(payload=timedelta(days=90), record=timedelta(days=400))


async def hold(stage: Stage, scope: str) -> None:
    def placed(tx: Transaction) -> None:
        legal_holds.place(tx, DEFAULT_TENANT, scope, by="person:ana", reason="A court asks.")

    await stage.database.write(placed)


async def let_go(stage: Stage, scope: str) -> None:
    def released(tx: Transaction) -> None:
        legal_holds.release(tx, DEFAULT_TENANT, scope, by="person:ana", reason="It is over.")

    await stage.database.write(released)


async def prune(stage: Stage, terms: Terms = TERMS) -> Pruned:
    return await retaining.prune(stage.database, DEFAULT_TENANT, terms, SIGNER)


async def verified(stage: Stage) -> Report:
    return await auditing.verify(stage.database, DEFAULT_TENANT, trusted=[SIGNER.public])


async def rows_of(stage: Stage, table: str) -> int:
    query = text(f"SELECT count(*) FROM {table}")
    return await stage.database.read(lambda tx: tx.connection.execute(query).scalar_one())


def by_hand(tx: Transaction, statement: str) -> None:
    tx.connection.execute(text(statement))


@pytest.fixture
async def ended(stage: Stage) -> RunId:
    """A run that ended with the consent of people, and was anchored."""
    run = await stage.start("deploy")
    await stage.vote(run, "ana", comment="fine")
    await anchoring.anchor_all(stage.database, DEFAULT_TENANT, SIGNER)
    return run


async def test_nothing_is_pruned_unless_it_is_asked_for(stage: Stage, ended: RunId) -> None:
    await stage.clock.advance(timedelta(days=4_000))

    assert (await prune(stage, Terms())).is_nothing
    assert Terms().keep_all


async def test_what_is_young_stays(stage: Stage, ended: RunId) -> None:
    await stage.clock.advance(timedelta(days=89))

    assert (await prune(stage)).is_nothing


async def test_a_run_that_has_not_ended_stays_however_old(stage: Stage) -> None:
    run = await stage.start("hold-on")
    before = await stage.kinds(run)
    await stage.clock.advance(timedelta(days=4_000))

    await prune(stage)

    assert await stage.kinds(run) == before


@pytest.mark.parametrize("scope", ["tenant", "run", "person:ana"])
async def test_what_is_held_stays_until_it_is_released(
    stage: Stage, ended: RunId, scope: str
) -> None:
    held = f"run:{ended}" if scope == "run" else scope
    await hold(stage, held)
    await stage.clock.advance(timedelta(days=401))

    kept = await prune(stage)
    await let_go(stage, held)

    assert (kept.runs, kept.entries) == (0, 0)
    assert (await prune(stage)).runs == 1


async def test_a_pruned_record_is_whole_in_the_database_and_in_exports(
    stage: Stage, ended: RunId
) -> None:
    older = await stage.database.read(exported)
    before = await verified(stage)
    await stage.clock.advance(timedelta(days=401))

    done = await prune(stage)
    report = await verified(stage)
    newer = await stage.database.read(exported)

    assert done.runs == 1
    assert (report.damaged, report.pruned) == (0, done.entries)
    assert report.entries == before.entries + 1
    assert report.anchored == before.anchored
    assert is_whole(older)
    assert is_whole(newer)
    assert list(await stage.database.read(lambda tx: list(chains.broken_chains(tx)))) == []


async def test_of_a_pruned_run_its_end_is_left(stage: Stage, ended: RunId) -> None:
    await stage.clock.advance(timedelta(days=401))
    seen = await stage.picture(ended)
    before = seen.row

    await prune(stage)

    after = await stage.picture(ended)
    counted = {each: after.summary[each] for each in ("steps", "entries", "duration_ms")}
    assert counted.items() <= seen.summary.items()
    assert after.row == replace(before, input={}, result=None, error=None)
    assert (after.approvals, after.steps) == ([], [])
    assert await stage.is_sound(ended)
    assert [await rows_of(stage, table) for table in ("votes", "approvals", "versions")] == [0] * 3
    assert isinstance(after.row, RunRow)


async def test_the_audit_goes_on_behind_what_was_pruned_of_it(stage: Stage) -> None:
    for _time in range(3):
        await hold(stage, "tenant")
        await let_go(stage, "tenant")
    count = await rows_of(stage, "audit")
    await stage.clock.advance(timedelta(days=401))

    first = await prune(stage)
    again = await prune(stage)
    await stage.clock.advance(timedelta(days=401))
    later = await prune(stage)

    assert (first.entries, again.entries, later.entries) == (count - 1, 0, 0)
    assert (await verified(stage)).damaged == 0
    assert await rows_of(stage, "segments") == 1


async def test_only_what_a_segment_stands_for_can_be_deleted(stage: Stage, ended: RunId) -> None:
    segment = (
        "INSERT INTO segments (tenant, chain, first, last, statement, signature, at) "
        f"SELECT tenant, '{ended}', 0, 1, '{{}}', 'x', at FROM journal WHERE run = '{ended}' "
        "AND position = 0"
    )
    await stage.database.write(partial(by_hand, statement=segment))
    for statement in (
        f"DELETE FROM journal WHERE run = '{ended}' AND position > 1",
        "DELETE FROM audit",
        "DELETE FROM segments",
        "UPDATE segments SET last = 99",
    ):
        with pytest.raises(EngineError):
            await stage.database.write(partial(by_hand, statement=statement))

    await stage.database.write(
        partial(by_hand, statement=f"DELETE FROM journal WHERE run = '{ended}' AND position < 2")
    )

    found = {finding.damage.value for finding in (await verified(stage)).findings}
    assert "forged" in found


async def test_a_record_that_was_tampered_with_is_not_tidied_away(
    stage: Stage, ended: RunId
) -> None:
    await stage.database.write(
        partial(by_hand, statement=f"UPDATE runs SET head = 'x' WHERE id = '{ended}'")
    )
    await stage.clock.advance(timedelta(days=401))

    done = await prune(stage)

    assert done.runs == 0
    assert (await verified(stage)).damaged > 0


async def test_snapshots_go_before_the_record(stage: Stage) -> None:
    run = await stage.start("staged")
    for _stage in ("build", "ship"):
        await stage.vote(run, "ana")
    assert await rows_of(stage, "artifacts") > 0
    await stage.clock.advance(timedelta(days=91))

    done = await prune(stage)

    assert done.artifacts > 0
    assert await rows_of(stage, "artifacts") == 0
    assert (await verified(stage)).damaged == 0
    assert isinstance(stage.clock, ManualClock)
