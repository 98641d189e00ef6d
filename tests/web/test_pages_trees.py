"""Runs that belong together, as pages and doors show them."""

import pytest

from engine.ids import RunId
from engine.store.sqlite import SqliteDatabase
from tests.clock import ManualClock
from tests.engine.stage import Stage
from tests.web.html import read
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def stage(site: Site, database: SqliteDatabase, clock: ManualClock) -> Stage:
    """A worker behind the site; its people are the site's own."""
    return Stage(database, clock)


async def begun(stage: Stage) -> tuple[RunId, RunId, RunId]:
    """A run, and the two that it started, of which the first one's approval was given."""
    run = await stage.start("journal_issue", topics=["bees", "ants"])
    first, second = (each.id for each in (await stage.picture(run)).family.children[run])
    await stage.vote(first, "ana")
    return run, first, second


async def test_a_runs_page_leads_down_and_up_its_tree(stage: Stage, dana: Browser) -> None:
    run, first, second = await begun(stage)

    above, below = await dana.get(f"/runs/{run}"), await dana.get(f"/runs/{second}")

    links = [each.attributes.get("href") for each in read(above.text).all("a")]
    assert {f"/runs/{first}", f"/runs/{second}"} <= set(links)
    assert "in branch bees" in above.text
    links = [each.attributes.get("href") for each in read(below.text).all("a")]
    assert f"/runs/{run}" in links


async def test_an_approvals_page_says_whose_child_asks(stage: Stage, ana: Browser) -> None:
    run, _first, second = await begun(stage)
    approval = (await stage.picture(second)).approvals[-1].id

    shown = await ana.get(f"/approvals/{approval}")

    assert f'<a href="/runs/{run}">journal_issue</a>' in shown.text
    assert "1 of 2 children of journal_issue done" in shown.text


async def test_the_api_tells_of_both(stage: Stage, dana: Browser) -> None:
    run, first, second = await begun(stage)
    approval = (await stage.picture(second)).approvals[-1].id

    whole = (await dana.get(f"/api/runs/{run}")).json()
    asked = (await dana.get(f"/api/approvals/{approval}")).json()

    assert [(each["id"], each["status"]) for each in whole["children"]] == [
        (first, "completed"),
        (second, "waiting"),
    ]
    assert [each["id"] for each in asked["tree"]] == [run, second]
    assert asked["children"] == {"of": "journal_issue", "done": 1, "all": 2}
