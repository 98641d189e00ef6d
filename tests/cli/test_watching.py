"""Monitors in a Signoff as it is put together: what its file says is asked of its own budgets."""

from pathlib import Path

import pytest

from bot.settings import Settings
from bot.wiring import Running, running
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.services import runs
from engine.store.runs import NewRun
from signoff.registry import registered
from tests.cli.ground import CONFIGURATION
from tests.engine import spenders

pytestmark = pytest.mark.anyio

WATCHED = """
[[budgets]]
scope = "workflow:modest"
per = "day"
limit = { usd = "0.50" }

[[monitors]]
name = "money runs out"
watch = "limit"
at = 80
then = "pause"
"""


def settings(folder: Path) -> Settings:
    file = folder / "signoff.toml"
    file.write_text(CONFIGURATION + WATCHED, encoding="utf-8")
    return Settings(database_url=f"sqlite:///{folder / 'signoff.db'}", config=file)


async def found_of(it: Running, steps: int) -> list[str]:
    """What the journal says of monitors, of a run that made so many dear steps and sleeps."""
    run, database = RunId(SystemIds().new("run")), it.application.database
    new = NewRun(
        id=run, tenant=DEFAULT_TENANT, workflow="modest", version="1", input={"steps": steps},
        started_by="key:agent",
    )  # fmt: skip
    await database.write(lambda tx: runs.start(tx, new))
    await it.worker.drain()
    await it.watcher.look()
    entries = await database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=1000)
    )
    return [str(each.data["says"]) for each in entries if each.kind == "monitor.fired"]


async def test_a_monitor_fires_when_a_run_nears_the_limit_of_a_budget(tmp_path: Path) -> None:
    spenders.TILL.clear()
    async with running(settings(tmp_path), authored=dict(registered())) as it:
        near = await found_of(it, 3)
        at = await found_of(it, 1)

    assert near == []
    assert at == ["workflow:modest usd per day is used to 80 %."]
