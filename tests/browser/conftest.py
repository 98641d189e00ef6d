"""A browser for the session and a fresh page for each test, which fails when its page complains."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.browser import chromium
from tests.browser.world import World, served_world

TIMEOUT_MS = 60_000  # a machine with other things to do is no reason to fail

expect.set_options(timeout=TIMEOUT_MS / 2)


@pytest.fixture(scope="session")
async def browser(pytestconfig: pytest.Config) -> AsyncGenerator[Browser]:
    found = chromium.find()
    if found is None:
        _without_browser(required=bool(pytestconfig.getoption("--require-browser")))
        return
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=found.program,
            args=list(found.arguments),
            env={**os.environ, **found.environment},
        )
        yield launched
        await launched.close()


@pytest.fixture
def pages() -> list[Page]:
    """The pages of this test. They leave before the world ends, so that none asks a server that is gone."""
    return []


@pytest.fixture
async def page(browser: Browser, pages: list[Page]) -> AsyncGenerator[Page]:
    """A page with its own cookies. An uncaught error or a console error fails the test."""
    async with opened(browser) as page:
        pages.append(page)
        yield page


@pytest.fixture
async def phone(browser: Browser, pages: list[Page]) -> AsyncGenerator[Page]:
    """The same on a narrow touch screen in the dark, which most votes are given on."""
    narrow = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with opened(browser, color_scheme="dark", **narrow) as page:
        pages.append(page)
        yield page


@pytest.fixture
async def world(tmp_path: Path, pages: list[Page]) -> AsyncGenerator[World]:
    """Everything behind the pages, served on a port of this machine."""
    async with served_world(tmp_path / "signoff.db") as world:
        yield world
        for page in pages:
            for shown in page.context.pages:
                await shown.goto("about:blank")


@asynccontextmanager
async def opened(browser: Browser, **options: Any) -> AsyncGenerator[Page]:
    """A page that fails its test when it complains; a violated policy is a complaint too."""
    context = await browser.new_context(
        locale="en-GB", timezone_id="UTC", reduced_motion="reduce", **options
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_errors(message)))
    yield page
    await context.close()
    if complaints:
        pytest.fail("The page complained: " + "; ".join(complaints))


def _errors(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" else []


def _without_browser(*, required: bool) -> None:
    sentence = (
        "No Chromium: set SIGNOFF_CHROMIUM to one, put npm on the PATH, or run "
        "`.venv/bin/playwright install --only-shell chromium`."
    )
    if required:
        pytest.fail(sentence)
    pytest.skip(sentence)
