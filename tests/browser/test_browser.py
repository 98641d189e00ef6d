"""The browser itself: it runs here, it shows what is served, and a complaining page is noticed."""

from collections.abc import AsyncGenerator

import pytest
from aiohttp import web
from playwright.async_api import Page

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]

SERVED = """<!doctype html><title>Approvals</title><link rel="icon" href="data:,">
<button onclick="this.textContent = 'Approved'">Approve</button>"""


@pytest.fixture
async def address() -> AsyncGenerator[str]:
    async def served(_request: web.Request) -> web.Response:
        return web.Response(text=SERVED, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", served)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/"
    await runner.cleanup()


async def test_a_click_changes_the_page(page: Page, address: str) -> None:
    await page.goto(address)

    await page.get_by_role("button", name="Approve").click()

    assert await page.title() == "Approvals"
    assert await page.get_by_role("button").inner_text() == "Approved"
