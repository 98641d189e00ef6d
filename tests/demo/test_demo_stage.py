"""The whole demo, really started: by hand through its first page, and played by itself."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.demo.browser import Browser
from bot.demo.first_page import FirstPage
from bot.demo.scene import opened
from bot.demo.stage import stage
from bot.demo.table import Claim
from engine.clock import SystemClock

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
async def first() -> AsyncIterator[FirstPage]:
    page = FirstPage()
    async with stage(SystemClock(), first=page.routes) as made:
        page.scene = await opened(made, deadline="5m")
        yield page
        page.changes.close()


@pytest.fixture
async def visitor(first: FirstPage) -> AsyncIterator[httpx.AsyncClient]:
    assert first.scene is not None
    async with httpx.AsyncClient(base_url=first.scene.stage.url, trust_env=False) as client:
        yield client


async def test_the_first_page_leads_everywhere_and_signs_people_in(
    first: FirstPage, visitor: httpx.AsyncClient
) -> None:
    assert first.scene is not None
    foreign = await visitor.post("/sign-in/ana", headers={"Sec-Fetch-Site": "cross-site"})
    nobody = await visitor.post("/sign-in/sam")

    page = await visitor.get("/")
    handed = await visitor.post("/sign-in/ana")
    again = await visitor.post("/sign-in/ana")

    link = re.fullmatch(r"0; url=(http://127\.0\.0\.1:\d+/sign-in/\S+)", handed.headers["refresh"])
    assert link is not None
    assert (foreign.status_code, nobody.headers["location"]) == (403, "/")
    assert again.headers["refresh"] == handed.headers["refresh"]
    for asked in first.scene.all:
        assert asked.title in page.text
    assert "reserved ovens, 100" in page.text
    async with Browser() as browser:
        inbox = await browser.submit(await browser.open(link[1]))
    assert inbox.status == 200
    assert first.scene.pizzas.title in inbox.words


async def test_played_by_itself_all_of_it_comes_true(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "signoff", "demo", "--auto",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()

    text = said.decode()
    assert process.returncode == 0, text
    assert text.count("✓") == len(Claim)
    assert list(tmp_path.iterdir()) == []
