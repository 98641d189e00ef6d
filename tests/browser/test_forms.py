"""Forms and budgets in a browser: filled in on a phone, rejected unanswered, and never sent half full."""

from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.world import World
from tests.web.site import ANA, BO

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

FORM: Final[dict[str, Any]] = {
    "required": ["when", "why"],
    "properties": {
        "when": {"type": "string", "title": "When", "enum": ["tonight", "tomorrow"]},
        "why": {"type": "string", "title": "Why", "maxLength": 40},
        "replicas": {"type": "integer", "title": "Replicas", "minimum": 1, "maximum": 9, "default": 3},
    },
}  # fmt: skip
IS_WHOLE: Final = "document.querySelector('.vote form').checkValidity()"


async def test_a_mail_is_rejected_unanswered_and_not_approved_so(phone: Page, world: World) -> None:
    row = await world.asked(kind="form", form=FORM, quorum=1)
    await phone.goto(f"{world.url}/respond/{await world.site.link(row)}?choice=approve")
    send = phone.get_by_role("button", name="Send my answer")

    await send.tap()
    assert not await phone.evaluate(IS_WHOLE)
    assert not (await world.site.picture(row.id)).votes
    await phone.get_by_role("radio", name="Reject").check()
    await send.tap()

    await expect(phone.get_by_role("heading", level=1)).to_contain_text("Rejected")


async def test_the_enter_key_in_an_input_decides_nothing(page: Page, world: World) -> None:
    row = await world.asked(kind="modify", fields=["amount"], quorum=2)
    path = f"/approvals/{row.id}"
    async with world.site.browser(BO) as bo:
        answer = {"choice": "approve", "changes.amount": "30"}
        await bo.submit(await bo.get(path), f"{path}/votes", **answer)
    await world.sign_in(page, ANA)
    await page.goto(world.url + path)

    await page.get_by_label("amount").fill("20")
    await page.keyboard.press("Enter")
    await page.get_by_text("Comment, or answer differently").click()
    await page.get_by_role("button", name="Abstain").click()

    await expect(page.get_by_text("Recorded.")).to_be_visible()
    votes = {vote.person: vote.choice for vote in (await world.site.picture(row.id)).votes}
    assert votes == {ANA: "abstain", BO: "approve"}


async def test_a_form_is_filled_in_on_a_phone_by_keys_and_sent_by_one_press(
    phone: Page, world: World
) -> None:
    row = await world.asked(kind="form", form=FORM, quorum=1)
    await world.sign_in(phone, ANA)
    await phone.goto(f"{world.url}/approvals/{row.id}")
    await expect(phone.get_by_label("Replicas")).to_have_attribute("inputmode", "numeric")
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await phone.get_by_label("tonight").focus()
    for key in ("Space", "Tab"):
        await phone.keyboard.press(key)
    await phone.keyboard.type("Fewer people are awake")
    await phone.keyboard.press("Tab")
    await phone.keyboard.type("4")
    await phone.get_by_role("button", name="Approve").tap()

    await expect(phone.get_by_text("Recorded. Approved: 1 of 1 approval.")).to_be_visible()
    await expect(phone.get_by_text("Filled in by the approvers")).to_be_visible()
    decided = {"when": "tonight", "why": "Fewer people are awake", "replicas": 4}
    assert (await world.site.picture(row.id)).modifying.decided == decided


async def test_a_budget_is_granted_in_part_and_never_beyond(phone: Page, world: World) -> None:
    details = {"amount": "50000.00 USD"}
    row = await world.asked(kind="budget", details=details, quorum=1)
    await world.sign_in(phone, ANA)
    await phone.goto(f"{world.url}/approvals/{row.id}")
    amount = phone.get_by_label("Grant")

    await expect(phone.get_by_role("button", name="Approve")).to_be_visible()
    await amount.fill("60000")
    await phone.get_by_role("button", name="Grant less").tap()
    assert not await phone.evaluate(IS_WHOLE)
    await amount.fill("40000")
    await phone.get_by_role("button", name="Grant less").tap()

    await expect(phone.locator("#live").get_by_text("Approved for 40000.00 USD")).to_be_visible()
