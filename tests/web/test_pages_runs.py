"""Runs are shown step by step with their journal; operators, and only they, can act on one."""

from datetime import timedelta

import pytest
from httpx import Response

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import keys, runs
from engine.services.keys import NewKey
from engine.store.database import Transaction
from engine.store.runs import NewRun
from engine.store.sqlite import SqliteDatabase
from tests.clock import ManualClock
from tests.engine import flows
from tests.engine.stage import Stage
from tests.engine.test_budgets import DEMO, given_budget
from tests.web.html import read
from tests.web.site import DANA, Browser, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def stage(site: Site, database: SqliteDatabase, clock: ManualClock) -> Stage:
    """A worker behind the site; its people are the site's own."""
    flows.LEDGER.clear()
    flows.FAIL.clear()
    return Stage(database, clock)


def verbs(answer: Response) -> list[str]:
    actions = [found.attributes.get("formaction", "") for found in read(answer.text).all("button")]
    return [action.rpartition("/")[2] for action in actions if action]


def names(answer: Response) -> list[str]:
    page = read(answer.text)
    headings = [
        found for found in page.all("h2") if any(outer.has("data-item") for outer in found.inside)
    ]
    return [heading.text.strip() for heading in headings]


async def test_what_is_not_there_is_said(dana: Browser) -> None:
    for path in ("/runs/run_none", "/runs/run_none/live", "/runs/%27"):
        assert (await dana.get(path)).status_code == 404


async def test_only_operators_act_on_runs(site: Site, ana: Browser) -> None:
    row = await site.asked()
    shown = await ana.get(f"/runs/{row.run}")
    csrf = next(found for found in read(shown.text).all("input") if found.has("name", "csrf"))

    for verb in ("cancel", "retry", "skip"):
        data = {"reason": "Because", "csrf": csrf.attributes["value"]}
        answer = await ana.post(f"/runs/{row.run}/{verb}", data)
        assert answer.status_code == 403

    assert verbs(shown) == []
    assert (await site.picture(row.id)).status == "open"


@pytest.mark.parametrize("reason", ["", "   ", "\0", "x" * 501])
async def test_acting_takes_a_reason(site: Site, dana: Browser, reason: str) -> None:
    row = await site.asked()
    path = f"/runs/{row.run}"

    answer = await dana.submit(await dana.get(path), f"{path}/cancel", reason=reason)

    assert answer.status_code == 422
    assert (await site.picture(row.id)).status == "open"


@pytest.mark.parametrize("verb", ["end", "delete", "..", "live"])
async def test_there_is_no_other_verb(site: Site, dana: Browser, verb: str) -> None:
    row = await site.asked()
    csrf = csrf_of(await dana.get(f"/runs/{row.run}"))

    answer = await dana.post(f"/runs/{row.run}/{verb}", {"reason": "Because", "csrf": csrf})

    assert answer.status_code in {404, 405}


async def test_a_run_is_shown_with_its_steps_and_its_journal(stage: Stage, ana: Browser) -> None:
    run = await stage.start("patient", rung="reject after 1h")

    shown = await ana.get(f"/runs/{run}")
    live = await ana.get(f"/runs/{run}/live")

    for text in (
        "before",
        "Go on?",
        "People have to agree before it goes on.",
        "step.finished",
        "Can still be undone",
    ):
        assert text in shown.text
    assert "<html" not in live.text
    assert f"/runs/{run}/live" in live.text


async def test_what_a_run_came_to_is_shown_with_its_budgets(stage: Stage, ana: Browser) -> None:
    await given_budget(stage, DEMO, scope="workflow:loop", per="run")
    run = await stage.start("loop")

    said = (await ana.get(f"/runs/{run}")).text

    assert "In all 5 steps finished, 0.50 USD, 250 tokens." in " ".join(said.split())
    assert "Budget of workflow:loop, per run: 0.50 USD of 0.50 USD (100 %)" in said


async def test_why_a_run_was_rolled_back_is_said_once_in_words(stage: Stage, ana: Browser) -> None:
    run = await stage.start("patient", rung="reject after 1h")

    await stage.vote(run, "ana", "reject", comment="Not today")
    shown = read((await ana.get(f"/runs/{run}")).text)

    page = next(found for found in shown.all("main")).text.partition("Journal")[0]
    assert page.count("Not today") == 1
    assert "“Go on?” was rejected by Ana Diaz: Not today." in page
    assert "Rolled back to the start" in page


async def given_run(site: Site, *, started_by: str, is_sandbox: bool = False) -> RunId:
    def start(tx: Transaction) -> RunId:
        new = NewRun(
            id=RunId(tx.ids.new("run")),
            tenant=DEFAULT_TENANT,
            workflow="marked",
            version="1",
            input={},
            started_by=started_by,
            sandbox={} if is_sandbox else None,
        )
        return runs.start(tx, new)

    return await site.application.database.write(start)


@pytest.mark.parametrize("is_sandbox", [True, False])
async def test_a_sandbox_is_told_from_what_is_real(
    site: Site, ana: Browser, is_sandbox: bool
) -> None:
    run = await given_run(site, started_by="person:ana", is_sandbox=is_sandbox)

    listed, shown = await ana.get("/runs"), await ana.get(f"/runs/{run}")

    assert ("Sandbox" in listed.text, "no step is done" in shown.text) == (is_sandbox, is_sandbox)


async def test_whoever_started_a_run_is_called_by_name(site: Site, ana: Browser) -> None:
    wanted = NewKey(name="night desk", scopes=["runs:start"])
    key, _ = await site.application.database.write(
        lambda tx: keys.create(tx, DEFAULT_TENANT, wanted, by="local")
    )

    for by, name in [
        (f"key:{key.id}", "night desk"),
        ("person:ana", "Ana Diaz"),
        ("key:x", "key:x"),
    ]:
        shown = await ana.get(f"/runs/{await given_run(site, started_by=by)}")
        (starter,) = [found for found in read(shown.text).all("span") if found.has("title", by)]
        assert starter.text == name


async def test_an_operator_cancels_and_hears_what_stays(stage: Stage, dana: Browser) -> None:
    run = await stage.start("patient", rung="reject after 1h")
    path = f"/runs/{run}"

    answer = await dana.submit(await dana.get(path), f"{path}/cancel", reason="Wrong  order")
    after = await dana.follow(answer)

    assert "Cancelled. What was done stays done: deed." in after.text
    assert "Wrong order" in after.text
    assert verbs(after) == ["rollback"]
    again = await dana.follow(
        await dana.post(f"{path}/cancel", {"reason": "Again", "csrf": csrf_of(after)})
    )
    assert "has ended" in again.text


async def test_a_stuck_compensation_is_tried_again_or_left(stage: Stage, site: Site) -> None:
    flows.FAIL["undo before"] = 1_000
    run = await stage.start("patient", rung="rollback after 1h")
    for _ in range(8):
        await stage.pass_time(timedelta(hours=1))
    path = f"/runs/{run}"

    async with site.browser(DANA) as dana:
        shown = await dana.get(path)
        again = await dana.follow(await dana.submit(shown, f"{path}/retry", reason="Mended"))
        early = await dana.follow(
            await dana.post(f"{path}/skip", {"reason": "Leave it", "csrf": csrf_of(shown)})
        )

    assert verbs(shown) == ["retry", "skip", "take-over", "cancel", "kill"]
    assert "Undoing a step keeps failing." in shown.text
    assert "It is tried again." in again.text
    assert "No compensation of run" in early.text


async def test_a_stuck_compensation_is_left_with_a_reason(stage: Stage, site: Site) -> None:
    flows.FAIL["undo before"] = 1_000
    run = await stage.start("patient", rung="rollback after 1h")
    for _ in range(8):
        await stage.pass_time(timedelta(hours=1))
    path = f"/runs/{run}"

    async with site.browser(DANA) as dana:
        csrf = csrf_of(await dana.get(path))
        after = await dana.follow(
            await dana.post(f"{path}/skip", {"reason": "By hand", "csrf": csrf})
        )

    assert "deed is left as it is; undoing goes on." in after.text
    assert "By hand" in after.text


async def test_runs_are_found_by_state_name_and_id(stage: Stage, site: Site, ana: Browser) -> None:
    run = await stage.start("marked")
    await stage.start("patient", rung="reject after 1h")
    await site.asked()

    for query, found in [
        ("", ["ask", "patient", "marked"]),
        ("?view=completed", ["marked"]),
        ("?view=waiting&q=PAT", ["patient"]),
        (f"?q={run}", ["marked"]),
        ("?view=nonsense&q=ask", ["ask"]),
        ("?q=nothing", []),
    ]:
        assert sorted(names(await ana.get(f"/runs{query}"))) == sorted(found), query


def csrf_of(answer: Response) -> str:
    found = next(found for found in read(answer.text).all("input") if found.has("name", "csrf"))
    return found.attributes["value"]
