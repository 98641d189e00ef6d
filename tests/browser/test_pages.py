"""The pages in a browser: signing in, voting by thumb and by key, and seeing what others do."""

import re

import pytest
from playwright.async_api import Page, expect

from engine.rules.states import ApprovalStatus
from tests.browser.world import World
from tests.web.site import ANA, BO, CHEN, DANA

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

PRINTED = re.compile(r"http://127\.0\.0\.1:8080(/sign-in/[A-Za-z0-9_-]+)")


async def test_a_link_signs_in_and_leads_back(
    page: Page, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    row = await world.asked()
    await page.goto(f"{world.url}/approvals/{row.id}")
    await page.get_by_label("Email address").fill("ana@example.com")
    await page.get_by_role("button", name="Send me a link").click()
    await expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    found = PRINTED.search(capsys.readouterr().err)
    assert found is not None

    await page.goto(world.url + found[1])
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("heading", name="Refund order 17?")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()


async def test_a_thumb_votes_in_the_dark(phone: Page, world: World) -> None:
    row = await world.asked(quorum=1)
    await world.sign_in(phone, ANA)
    await phone.goto(f"{world.url}/approvals")
    await phone.get_by_role("link", name="Refund order 17?").tap()
    approve = phone.get_by_role("button", name="Approve")
    await expect(approve).to_be_in_viewport()
    box = await approve.bounding_box()

    await approve.tap()

    await expect(phone.get_by_text("Recorded. Approved: 1 of 1 approval.")).to_be_visible()
    assert box is not None
    assert box["height"] >= 44
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (await world.site.picture(row.id)).status is ApprovalStatus.APPROVED


async def test_keys_reach_everything(page: Page, world: World) -> None:
    await world.asked(title="Second", ladder=["reject after 8h"])
    first = await world.asked(title="First", ladder=["reject after 1h"])
    await world.sign_in(page, ANA)
    await page.goto(f"{world.url}/approvals")

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(page.get_by_role("link", name="First")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="First")).to_be_visible()
    await page.keyboard.press("a")
    await expect(page.get_by_role("button", name="Approve")).to_be_focused()
    assert not (await world.site.picture(first.id)).votes
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("Recorded. 1 of 2 approvals.")).to_be_visible()


async def test_several_are_answered_by_keys(page: Page, world: World) -> None:
    rows = [await world.asked(title=f"Request {number}") for number in range(3)]
    await world.sign_in(page, ANA)
    await page.goto(f"{world.url}/approvals")

    for _ in rows[:2]:
        await page.keyboard.press("j")
        await page.keyboard.press("x")
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("You chose Approve for 2.")).to_be_visible()
    cast = [len((await world.site.picture(row.id)).votes) for row in rows]
    assert sorted(cast) == [0, 1, 1]


async def test_what_somebody_else_decides_appears_by_itself(page: Page, world: World) -> None:
    row = await world.asked()
    await world.sign_in(page, CHEN)
    await page.goto(f"{world.url}/approvals/{row.id}")
    await page.get_by_text("Comment, or answer differently").click()
    await page.get_by_label("Comment").fill("Half a sentence")

    await world.votes(ANA, row)
    await expect(page.locator("#live").get_by_text("1 of 2 approvals")).to_be_visible()
    await expect(page.locator("#votes").get_by_text("Ana Diaz")).to_be_visible()
    await expect(page.get_by_label("Comment")).to_have_value("Half a sentence")
    await world.votes(BO, row)

    await expect(
        page.locator("#live").get_by_text("Approved by Ana Diaz and Bo Lind.")
    ).to_be_visible()


async def test_a_search_finds_while_typing_and_keeps_what_is_picked_out_of_it(
    page: Page, world: World
) -> None:
    await world.asked(title="Refund order 17?")
    await world.asked(title="Deploy 4.2", action="deploy")
    await world.sign_in(page, ANA)
    await page.goto(f"{world.url}/approvals")

    await page.keyboard.press("/")
    await page.keyboard.type("depl")

    await expect(page.get_by_role("link", name="Refund order 17?")).to_have_count(0)
    await expect(page.get_by_role("link", name="Deploy 4.2")).to_be_visible()


async def test_a_mail_is_answered_by_thumb(phone: Page, world: World) -> None:
    row = await world.asked()
    token = await world.site.link(row)
    await phone.goto(f"{world.url}/respond/{token}?choice=approve")
    await expect(phone.get_by_role("radio", name="Approve")).to_be_checked()
    assert not (await world.site.picture(row.id)).votes

    await phone.get_by_role("button", name="Send my answer").tap()

    await expect(phone.get_by_role("heading", name="Recorded. 1 of 2 approvals.")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/approvals", "/runs", "/outbox", "/docs"])
async def test_no_page_complains(page: Page, world: World, path: str) -> None:
    await world.sign_in(page, DANA)

    await page.goto(world.url + path)

    await expect(page.get_by_role("heading", level=1)).not_to_have_count(0)


async def test_the_badges_of_the_api_are_light_on_dark_and_all_of_it_is_read(
    page: Page, world: World
) -> None:
    await page.goto(f"{world.url}/docs")

    badge = page.locator(".info .title small pre").first
    await expect(badge).to_have_css("color", "rgb(255, 255, 255)")
    await expect(badge).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    for around in await page.locator(".info .title small").all():
        await expect(around).to_have_css("background-color", "rgb(59, 65, 81)")
    await expect(page.get_by_text("Ask for an approval")).to_be_visible()
