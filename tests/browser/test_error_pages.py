"""What a browser shows of a refusal, in any light and on any screen: what happened, what to do, and a way on."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from bot.web.problems import Problem
from bot.web.rendering import environment
from bot.web.state import TEMPLATES
from engine.store.sqlite import SqliteDatabase
from tests.browser.world import World
from tests.web.site import DANA

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

PAGES: Final = environment(TEMPLATES)
POST: Final = """([path, fields]) => {
  const form = document.createElement("form")
  form.method = "post"
  form.action = path
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("textarea")
    field.name = name
    field.value = value
    form.append(field)
  }
  document.body.append(form)
  form.submit()
}"""
CUT: Final = """() => [...document.querySelectorAll("main *")].filter(each => {
  const box = each.getBoundingClientRect()
  return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)
}).map(each => each.outerHTML.slice(0, 80))"""
FAINT: Final = """() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number)
  const light = text => channels(text).slice(0, 3).map(one => one / 255)
    .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0)
  const ground = one => {
    const colour = getComputedStyle(one).backgroundColor
    const [, , , alpha = 1] = channels(colour)
    return alpha > 0 || !one.parentElement ? colour : ground(one.parentElement)
  }
  return [...document.querySelectorAll("main h1, main p, main code, main a")].filter(each => {
    const [low, high] = [getComputedStyle(each).color, ground(each)].map(light).sort((a, b) => a - b)
    return (high + 0.05) / (low + 0.05) < 4.5
  }).map(each => each.outerHTML.slice(0, 80))
}"""


async def posted(page: Page, path: str, **fields: str) -> None:
    """Send a form, as a button of our pages does."""
    csrf = await page.locator("input[name=csrf]").first.input_value()
    async with page.expect_navigation():
        await page.evaluate(POST, [path, {"csrf": csrf, **fields}])


async def no_such_method(page: Page, world: World) -> None:
    await posted(page, "/docs")


async def moved_on(page: Page, world: World) -> None:
    """Most conflicts are told on the page itself; what is left of them is drawn here as it would be."""
    problem = Problem(
        status=409, code="run_ended", detail="Run run_0193b1c2d3e4f5061728394a5b6c7d8e has ended."
    )
    drawn = PAGES.get_template("web/error.html")
    body = drawn.render(problem=problem.on_a_page(), next=problem.way_on)
    await page.route(
        "**/moved", lambda route: route.fulfill(status=409, body=body, content_type="text/html")
    )
    await page.goto(f"{world.url}/moved")


async def too_large(page: Page, world: World) -> None:
    row = await world.asked()
    await posted(page, f"/approvals/{row.id}/votes", choice="approve", comment="x" * 1_100_000)


async def away(page: Page, world: World) -> None:
    database = world.site.application.database
    assert isinstance(database, SqliteDatabase)
    await database.close()
    await page.goto(f"{world.url}/approvals")


Refusal = Callable[[Page, World], Awaitable[None]]
REFUSALS: Final[tuple[tuple[int, str, Refusal], ...]] = (
    (405, "Not done here", no_such_method),
    (409, "Things have moved on", moved_on),
    (413, "Too large", too_large),
    (503, "Not now", away),
)


@pytest.mark.parametrize(("light", "width"), [("light", 1280), ("dark", 390)])
async def test_a_refusal_can_be_read_and_leads_on(
    browser: Browser, world: World, light: Literal["light", "dark"], width: int
) -> None:
    options: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "color_scheme": light}
    context = await browser.new_context(locale="en-GB", reduced_motion="reduce", **options)
    page = await context.new_page()
    await world.sign_in(page, DANA)
    for status, title, refused in REFUSALS:
        await page.goto(f"{world.url}/approvals")
        await refused(page, world)

        await expect(page.get_by_role("heading", name=title)).to_be_visible()
        await expect(page.get_by_text(f"status {status}")).to_be_visible()
        await expect(page.locator("main a.primary")).to_be_in_viewport(ratio=1)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate(CUT) == []
        assert await page.evaluate(FAINT) == []
    await context.close()
