"""Two versions side by side on one PostgreSQL: the newer one migrates, and both go on working."""

from functools import partial
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.chaos.checker.pages import shared_book
from bot.chaos.checker.violations import violations
from engine.errors import Unavailable
from engine.store import meta
from engine.store.database import Transaction
from tests.workers.crew import asked, at_work, begun, holders, moments, standings, verified
from tests.workers.flows import effects
from tests.workers.life import Place
from tests.workers.tomorrow import TOMORROW, at_work_tomorrow, built

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.postgres]

RUNS, STEPS = 16, 10


def moods(tx: Transaction) -> set[str]:
    return {row.mood for row in tx.connection.execute(text("SELECT mood FROM runs"))}


def contract(tx: Transaction) -> None:
    """What tomorrow's next migration does that takes something away."""
    meta.put(tx.connection, meta.OLDEST_SCHEMA, TOMORROW)


async def test_todays_workers_go_on_while_tomorrows_migrate_and_work(
    shared: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    folder, ledger = built(tmp_path / "tomorrow"), tmp_path / "ledger"
    started = await begun(shared, "wk_long", RUNS, ledger=str(ledger))
    async with shared.opened() as database:
        with at_work(nursery, shared):
            for _moment in moments():
                if await database.read(holders):
                    break
            with at_work_tomorrow(folder, shared.where):
                for _moment in moments():
                    if await database.read(standings) != {"wk_long completed": len(started)}:
                        continue
                    if await database.read(moods) == {"calm", "new"}:
                        break
                    # Those of tomorrow have begun nothing yet: there is more to do.
                    started += await begun(shared, "wk_long", RUNS, ledger=str(ledger))

        assert await database.read(standings) == {"wk_long completed": len(started)}
        assert await database.read(moods) == {"calm", "new"}
        wrong = [await database.read(partial(verified, run=run)) for run in started]
    assert wrong == [[]] * len(started)
    assert violations(await shared_book(shared.where)) == []
    assert len(set(effects(ledger))) == len(started) * STEPS


async def test_after_tomorrow_took_something_away_today_does_not_begin(shared: Place) -> None:
    def migrated(tx: Transaction) -> None:
        tx.connection.execute(
            text("UPDATE alembic_version SET version_num = :found"), {"found": TOMORROW}
        )

    await asked(shared, migrated)
    await asked(shared, contract)

    with pytest.raises(Unavailable, match="Install the newer version"):
        await asked(shared, standings)
