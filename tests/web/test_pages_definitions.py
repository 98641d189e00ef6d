"""People see which workflows were written down, and what a run of one goes by."""

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.runtime.definitions.adding import add
from engine.runtime.definitions.held import Held
from engine.runtime.workflows import Workflows
from engine.services import runs
from engine.store.runs import NewRun
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio

SOURCE = """\
name: tidy  # <b>with care</b>
steps:
  - {name: sure, type: approval, title: "Tidy <up>?", approvers: "role:operator"}
  - {name: rest, type: condition, if: "1 < 2", then: [{name: inside, type: checkpoint}]}
"""


async def given_definition(site: Site) -> str:
    database, nothing = site.application.database, Workflows({}, Held({}))
    return (await add(database, nothing, SOURCE, by="person:dana")).version


async def test_a_stranger_sees_nothing_of_them(site: Site) -> None:
    await given_definition(site)

    async with site.browser() as stranger:
        shown = await stranger.get("/definitions")

    assert "tidy" not in shown.text


async def test_without_one_the_page_says_how_to_add_it(ana: Browser) -> None:
    assert "signoff definitions add" in (await ana.get("/definitions")).text


async def test_they_are_listed_with_their_steps_and_as_they_were_written(
    site: Site, ana: Browser
) -> None:
    version = await given_definition(site)

    shown = (await ana.get("/definitions")).text

    assert version in shown
    assert "Tidy &lt;up&gt;?" in shown
    assert "&lt;b&gt;with care" in shown
    assert "inside" in shown


async def test_a_run_shows_what_it_goes_by(site: Site, ana: Browser) -> None:
    version = await given_definition(site)
    new = NewRun(
        id=RunId("run_1"), tenant=DEFAULT_TENANT, workflow="tidy", version=version, input={},
        started_by="local",
    )  # fmt: skip
    await site.application.database.write(lambda tx: runs.start(tx, new))

    assert "What it goes by" in (await ana.get("/runs/run_1")).text
