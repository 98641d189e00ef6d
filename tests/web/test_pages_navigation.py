"""The navigation leads everybody to what they may see, from every page there is, the lost ones too."""

import pytest
from httpx import Response

from tests.web.html import read
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio

EVERYBODYS = ["Inbox", "Runs", "Cases", "Definitions", "API docs"]
PAGES = ["/approvals", "/runs", "/docs", "/nowhere", "/approvals/x/y/z", "/static/none"]


def places(answer: Response) -> list[str]:
    """What the navigation leads to; nothing for strangers."""
    page = read(answer.text)
    return [
        found.text
        for navigation in page.all("nav")
        if navigation.has("aria-label", "Pages")
        for found in page.within(navigation)
    ]


@pytest.mark.parametrize("path", ["/docs", "/nowhere"])
async def test_strangers_get_the_page_and_nowhere_to_go(site: Site, path: str) -> None:
    plain = await site.stranger.get(path)
    wrong = await site.stranger.get(path, authorization="Bearer sk_0_wrong", cookie="signoff=x")

    assert places(plain) == places(wrong) == []
    assert plain.status_code == wrong.status_code == (200 if path == "/docs" else 404)


@pytest.mark.parametrize("path", PAGES)
async def test_only_operators_are_led_to_the_outbox(ana: Browser, dana: Browser, path: str) -> None:
    assert places(await ana.get(path)) == EVERYBODYS
    assert places(await dana.get(path)) == [
        "Inbox",
        "Runs",
        "Cases",
        "Definitions",
        "Outbox",
        "Budgets",
        "Kill switch",
        "Audit",
        "API docs",
    ]


async def test_a_lost_page_leads_back_and_a_program_gets_a_problem(ana: Browser) -> None:
    page = await ana.get("/nowhere")
    problem = await ana.get("/nowhere", accept="application/json")
    wrong_method = await ana.post("/docs", {})

    assert page.status_code == 404
    assert "There is nothing at this address." in page.text
    assert "Open the inbox" in page.text
    assert problem.json()["code"] == "not_found"
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET")
