"""An operator says on a run's page whether a step happened that must not happen twice."""

import pytest

from engine.store.sqlite import SqliteDatabase
from tests.clock import ManualClock
from tests.engine import effects
from tests.engine.stage import Stage
from tests.web.html import read
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def stage(site: Site, database: SqliteDatabase, clock: ManualClock) -> Stage:
    """A worker behind the site; its people are the site's own."""
    effects.prepare()
    effects.ENDS.append(OSError("reset"))
    return Stage(database, clock)


@pytest.mark.parametrize(("verb", "made"), [("happened", 1), ("did_not_happen", 2)])
async def test_how_a_step_ended_is_said_on_the_page(
    stage: Stage, dana: Browser, verb: str, made: int
) -> None:
    run = await stage.start("launch")
    path = f"/runs/{run}"
    shown = await dana.get(path)

    csrf = next(found for found in read(shown.text).all("input") if found.has("name", "csrf"))
    said = {"reason": "I looked.", "csrf": csrf.attributes["value"]}
    await dana.post(f"{path}/{verb}", said)
    await stage.worker().drain()

    assert "Nobody knows whether a step happened" in shown.text
    offered = [each.attributes.get("formaction", "") for each in read(shown.text).all("button")]
    assert {f"{path}/happened", f"{path}/did_not_happen"} <= set(offered)
    assert len(effects.SENT) == made
    assert (await stage.picture(run)).row.reason is None
