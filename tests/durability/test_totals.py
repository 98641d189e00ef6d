"""What runs say they spent is what their journals say, and what was paid: completed, aborted or killed."""

import asyncio
import json
import shutil
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.services import auditing, budgets, halting, runs
from engine.services.budgets import Wanted
from engine.store.database import Database, Transaction
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability import purses
from tests.durability.conftest import MEMORY
from tests.durability.scene import SECRET
from tests.engine.stage import Stage

End = Literal["as it comes", "kill", "cancel"]

LEAVES: st.SearchStrategy[list[Any]] = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from(purses.WAYS)).map(list),
    st.tuples(st.just("nap"), st.just(1)).map(list),
)
BOUNDS = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _wider(parts: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    plans = st.lists(parts, min_size=1, max_size=3)
    branches = st.dictionaries(st.sampled_from("ab"), plans, min_size=2, max_size=2)
    return st.one_of(
        st.tuples(st.just("child"), plans).map(list),
        st.tuples(st.just("gather"), branches).map(list),
    )


PLANS = st.lists(st.recursive(LEAVES, _wider, max_leaves=9), min_size=1, max_size=4)


@BOUNDS
@given(
    plan=PLANS,
    end=st.sampled_from(["as it comes", "as it comes", "kill", "cancel"]),
    cents=st.sampled_from([25, 60, 99_00]),
    after=st.booleans(),
)
def test_what_is_told_is_what_journals_say_and_what_was_paid(
    migrated_file: Path, plan: purses.Plan, end: End, cents: int, after: bool
) -> None:
    limit = {"usd": f"{Decimal(cents) / 100:.2f}"}
    wanted = Wanted(limit=limit, enforce="after" if after else "before")
    asyncio.run(_played(migrated_file, plan, end, wanted))


async def _played(template: Path, plan: purses.Plan, end: End, wanted: Wanted) -> None:
    purses.PAID.clear()
    clock = ManualClock()
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        path = Path(name) / "signoff.db"
        shutil.copyfile(template, path)
        async with opened(path, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)) as database:
            stage = Stage(database, clock)
            await stage.prepare()
            capped = partial(budgets.set_budget, tenant=DEFAULT_TENANT, wanted=wanted, by="ana")
            await database.write(capped)
            await database.write(partial(capped, wanted=Wanted(limit={"steps": 900}, per="run")))
            run = await stage.start("purse", plan=plan)
            await _ended(stage, run, end)
            await _compare(database)


async def _ended(stage: Stage, run: RunId, end: End) -> None:
    if end != "as it comes" and (await stage.picture(run)).row.ended_at is None:
        deed = halting.kill if end == "kill" else runs.cancel
        await stage.database.write(
            lambda tx: deed(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")
        )
    for _minute in range(60):
        listed = await stage.database.read(lambda tx: runs.page(tx, DEFAULT_TENANT))
        if all(row.ended_at is not None for row in listed):
            return
        await stage.pass_time(timedelta(minutes=1))
    raise AssertionError("It never came to its end.")


async def _compare(database: Database) -> None:
    written = await database.read(_in_journals)
    for run, amount in written.items():
        told: Any = (
            await database.read(partial(runs.picture, tenant=DEFAULT_TENANT, run=RunId(run)))
        ).to_json()
        assert Decimal(str(told["summary"]["cost"] or "0").split()[0]) * 100 == amount
    listed: Any = await database.read(lambda tx: budgets.listing(tx, DEFAULT_TENANT))
    (usage,) = next(each["usage"] for each in listed if each["per"] == "total")
    total = sum(written.values())
    assert Decimal(usage["spent"].split()[0]) * 100 == total == sum(purses.PAID)
    assert Decimal(usage["reserved"].split()[0]) == 0
    report = await auditing.verify(database, DEFAULT_TENANT, trusted=[])
    assert [each.says for each in report.findings] == []


def _in_journals(tx: Transaction) -> dict[str, Decimal]:
    """The cents of each run, added up from its lines with nothing of ours."""
    found: dict[str, Decimal] = {
        row.id: Decimal(0) for row in tx.connection.execute(text("SELECT id FROM runs"))
    }
    lines = "SELECT run, data FROM journal WHERE kind IN ('step.finished', 'step.failed', 'budget.settled')"
    for row in tx.connection.execute(text(lines)):
        cost = json.loads(row.data).get("cost") or {}
        found[row.run] += Decimal(str(cost.get("usd", "0"))) * 100
    return found
