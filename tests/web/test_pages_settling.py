"""An operator says on a run's page whether a step happened that must not happen twice."""

import pytest
from httpx import Response

from engine.rules.states import WaitingReason
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


async def said(dana: Browser, run: str, verb: str, *, result: str) -> Response:
    """Say how the step ended, as the run's page offers it; gives the page behind it."""
    path = f"/runs/{run}"
    shown = read((await dana.get(path)).text)
    csrf = next(found for found in shown.all("input") if found.has("name", "csrf"))
    given = {"reason": "I looked.", "csrf": csrf.attributes["value"] or "", "result": result}
    await dana.post(f"{path}/{verb}", given)
    return await dana.get(path)


@pytest.mark.parametrize(("verb", "made"), [("happened", 1), ("did_not_happen", 2)])
async def test_how_a_step_ended_is_said_on_the_page(
    stage: Stage, dana: Browser, verb: str, made: int
) -> None:
    run = await stage.start("launch")
    path = f"/runs/{run}"
    shown = await dana.get(path)

    result = '{"number": 1, "what": "seen"}' if verb == "happened" else ""
    await said(dana, run, verb, result=result)
    await stage.worker().drain()

    assert "Nobody knows whether a step happened" in shown.text
    offered = [each.attributes.get("formaction", "") for each in read(shown.text).all("button")]
    assert {f"{path}/happened", f"{path}/did_not_happen"} <= set(offered)
    assert len(effects.SENT) == made
    assert (await stage.picture(run)).row.reason is None


@pytest.mark.parametrize(
    ("verb", "result", "words"),
    [
        ("happened", "{", "it is not JSON"),
        ("happened", '{"number": 1, "number": 2}', "a key appears twice"),
        ("did_not_happen", "1", "What did not happen returned nothing"),
    ],
)
async def test_a_result_that_cannot_be_meant_settles_nothing(
    stage: Stage, dana: Browser, verb: str, result: str, words: str
) -> None:
    run = await stage.start("launch")

    answer = await said(dana, run, verb, result=result)

    assert words in answer.text
    assert (await stage.picture(run)).row.reason is WaitingReason.RECONCILE


async def test_what_the_step_returned_is_given_on_the_page(stage: Stage, dana: Browser) -> None:
    run = await stage.start("launch")

    await said(dana, run, "happened", result='{"number": 7, "what": "found"}')
    await stage.worker().drain()

    assert (await stage.picture(run)).row.result == {"number": 7, "what": "found"}
