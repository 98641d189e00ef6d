"""What others do appears by itself: by a stream while somebody looks, by asking where there is none."""

import asyncio

import pytest
from playwright.async_api import Page, Request, Route, expect

from tests.browser.world import World
from tests.web.site import ANA, BO, CHEN

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

TYPED_EARLY = """document.addEventListener("readystatechange", () => {
  const box = document.querySelector("input[type=search]")
  if (box && document.readyState === "interactive") box.value = "depl"
})"""
COUNTS_NEWS = """window.heard = 0
window.EventSource = class extends EventSource {
  constructor(address) {
    super(address)
    this.addEventListener("message", () => window.heard++)
  }
}"""
LOOKS_AWAY = """away => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => away})
  document.dispatchEvent(new Event("visibilitychange"))
}"""


async def test_without_a_stream_the_page_asks_itself(page: Page, world: World) -> None:
    async def nothing(route: Route) -> None:
        await route.fulfill(status=204)

    await page.route("**/api/events*", nothing)
    row = await world.asked()
    await world.sign_in(page, CHEN)
    await page.goto(f"{world.url}/approvals/{row.id}")

    await world.votes(ANA, row)

    await expect(page.locator("#live").get_by_text("1 of 2 approvals")).to_be_visible()
    assert world.streams.count == 0


async def test_a_page_that_hears_its_news_does_not_ask_for_them(page: Page, world: World) -> None:
    row = await world.asked()
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/live" in request.url:
            asked.append(request.url)

    page.on("request", note)
    await page.clock.install()
    await world.sign_in(page, CHEN)
    async with page.expect_response("**/api/events*"):
        await page.goto(f"{world.url}/approvals/{row.id}")
    await world.votes(ANA, row)
    await expect(page.locator("#live").get_by_text("1 of 2 approvals")).to_be_visible()
    before = len(asked)

    await page.clock.run_for(20_000)
    while_nothing_happened = len(asked) - before
    await world.votes(BO, row)

    await expect(page.locator("#live").get_by_text("Approved by")).to_be_visible()
    assert (
        while_nothing_happened <= 1
    )  # asking would have been ten times; one may have been on its way


async def test_news_behind_a_poll_that_waits_are_shown_all_the_same(
    page: Page, world: World
) -> None:
    row = await world.asked()
    late, on_its_way = asyncio.Event(), asyncio.Event()

    async def answered_late(route: Route) -> None:
        answer = await route.fetch()
        on_its_way.set()
        await late.wait()
        await route.fulfill(response=answer)

    await page.add_init_script(COUNTS_NEWS)
    await page.clock.install()
    await world.sign_in(page, CHEN)
    await page.goto(f"{world.url}/approvals/{row.id}")
    await world.votes(ANA, row)
    await expect(page.locator("#live").get_by_text("1 of 2 approvals")).to_be_visible()
    await page.route("**/live*", answered_late)
    await page.clock.run_for(61_000)  # the poll of a page that has not asked for a minute
    await on_its_way.wait()

    await page.clock.run_for(2_000)  # the next one waits
    heard = await page.evaluate("heard")
    await world.votes(BO, row)
    await page.wait_for_function("heard => window.heard > heard", arg=heard)
    await page.clock.run_for(1_000)
    late.set()

    await expect(page.locator("#live").get_by_text("Approved by")).to_be_visible()


async def test_an_inbox_and_a_run_follow_what_others_do(page: Page, world: World) -> None:
    row = await world.asked(quorum=1)
    await world.sign_in(page, CHEN)
    inbox, run = page, await page.context.new_page()
    await inbox.goto(f"{world.url}/approvals")
    await run.goto(f"{world.url}/runs/{row.run}")

    await world.asked(title="A second one?")
    await expect(inbox.get_by_role("link", name="A second one?")).to_be_visible()
    await world.votes(ANA, row)

    await expect(inbox.get_by_role("link", name="Refund order 17?")).to_have_count(0)
    await expect(run.locator("#live").get_by_text("Approved")).not_to_have_count(0)


async def test_a_page_nobody_looks_at_holds_no_stream(page: Page, world: World) -> None:
    row = await world.asked()
    await world.sign_in(page, CHEN)
    async with page.expect_response("**/api/events*"):
        await page.goto(f"{world.url}/approvals/{row.id}")

    async with page.expect_event("requestfailed", lambda found: "/api/events" in found.url):
        await page.evaluate(LOOKS_AWAY, True)
    await world.votes(ANA, row)
    async with page.expect_response("**/api/events*"):
        await page.evaluate(LOOKS_AWAY, False)

    await expect(page.locator("#live").get_by_text("1 of 2 approvals")).to_be_visible()


async def test_what_was_typed_before_the_page_listened_is_searched(
    page: Page, world: World
) -> None:
    await world.asked(title="Refund order 17?")
    await world.asked(title="Deploy 4.2", action="deploy")
    await world.sign_in(page, ANA)
    await page.add_init_script(TYPED_EARLY)

    await page.goto(f"{world.url}/approvals")

    await expect(page.get_by_role("link", name="Refund order 17?")).to_have_count(0)
    await expect(page.get_by_role("link", name="Deploy 4.2")).to_be_visible()
