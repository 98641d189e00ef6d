"""On a phone nothing lies on top of anything else, and what is chosen is in sight."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from bot.web.rendering import environment
from bot.web.state import TEMPLATES
from tests.browser.world import World
from tests.web import samples

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PAGES = environment(TEMPLATES)
OVERLAPS = """texts => texts.filter(text => {
  const note = text.nextElementSibling, [a, b] = [text, note].map(one => one.getBoundingClientRect())
  return b.width > 0 && a.right > b.left
}).map(text => text.textContent)"""


async def shown(page: Page, world: World, template: str, **given: Any) -> None:
    """A part of a page as it is drawn in ours, whatever the store holds."""
    part = PAGES.get_template(template).render(now=samples.NOW, **given)
    await page.goto(f"{world.url}/sign-in")
    await page.locator("main").evaluate("(main, part) => { main.innerHTML = part }", part)


async def test_no_label_of_a_run_runs_under_its_note(phone: Page, world: World) -> None:
    title = "Roll out version 4.2 to everybody?"
    run = samples.rolled_back()
    steps = [{**step, "name": title} for step in run["steps"]]

    await shown(phone, world, "web/partials/run_live.html", run={**run, "steps": steps})

    labels = phone.locator(".timeline .label")
    await expect(labels.first).to_contain_text("Roll out version 4.2")
    assert await labels.evaluate_all(OVERLAPS) == []
