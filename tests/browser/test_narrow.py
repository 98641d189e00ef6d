"""On a phone nothing lies on top of anything else, and what is chosen is in sight."""

from email.message import EmailMessage
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bot.demo.mail.mailbox import Mail
from bot.demo.mail.standin import MailStandIn
from bot.demo.serving import served
from bot.web.rendering import environment
from bot.web.state import TEMPLATES
from engine.clock import SystemClock
from engine.ids import SystemIds
from tests.browser.world import World
from tests.web import shown

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

PAGES = environment(TEMPLATES)
OVERLAPS = """texts => texts.filter(text => {
  const note = text.nextElementSibling, [a, b] = [text, note].map(one => one.getBoundingClientRect())
  return b.width > 0 && a.right > b.left
}).map(text => text.textContent)"""


def given_mail(mail: MailStandIn, *, to: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"] = "Refund?", "bot@example.com"
    letter = Mail(
        id=SystemIds().new("mail"),
        at=SystemClock().now(),
        sender="bot@example.com",
        recipients=(to,),
        options=(),
        raw=bytes(message),
        message=message,
    )
    mail.mailbox.keep(letter)


async def drawn(page: Page, world: World, template: str, **given: Any) -> None:
    """A part of a page as it is drawn in ours, whatever the store holds."""
    part = PAGES.get_template(template).render(now=shown.NOW, **given)
    await page.goto(f"{world.url}/sign-in")
    await page.locator("main").evaluate("(main, part) => { main.innerHTML = part }", part)


async def test_no_label_of_a_run_runs_under_its_note(phone: Page, world: World) -> None:
    title = "Roll out version 4.2 to everybody?"
    run = shown.rolled_back()
    steps = [{**step, "name": title} for step in run["steps"]]

    await drawn(phone, world, "web/partials/run_live.html", run={**run, "steps": steps})

    labels = phone.locator(".timeline .label")
    await expect(labels.first).to_contain_text("Roll out version 4.2")
    assert await labels.evaluate_all(OVERLAPS) == []


async def test_the_chosen_mailbox_is_in_sight(phone: Page) -> None:
    mail = MailStandIn(clock=SystemClock(), ids=SystemIds())
    for number in range(9):
        given_mail(mail, to=f"person-{number}@example.com")

    async with served(mail.app) as url:
        await phone.goto(f"{url}/?to=person-8%40example.com")
        await expect(phone.locator("aside [aria-current]")).to_be_in_viewport(ratio=0.9)
        given_mail(mail, to="person-9@example.com")
        await expect(phone.get_by_text("person-9")).to_have_count(1)
        await expect(phone.locator("aside [aria-current]")).to_be_in_viewport(ratio=0.9)
        mail.mailbox.changes.close()
