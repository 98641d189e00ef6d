"""Behind https: a cookie that no subdomain can set, and a browser that never asks in the open."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.application import Application
from bot.web.app import create_app
from tests.api.conftest import application, channels, webhooks
from tests.api.desk import ANA, ASKED, Desk, code

__all__ = ["application", "channels", "webhooks"]

pytestmark = pytest.mark.anyio
URL = "https://bot.example.com"


@pytest.fixture
async def desk(application: Application) -> AsyncIterator[Desk]:
    secure = replace(application, base_url=URL)
    async with Desk.of(create_app(secure), secure) as desk:
        yield desk


async def test_a_cookie_without_the_prefix_is_none(desk: Desk) -> None:
    plain = await desk.cookie(ANA)

    assert code(await desk.stranger.get("/api/me", headers=plain)) == (401, "not_signed_in")


async def test_only_our_own_address_is_our_origin(desk: Desk) -> None:
    token = (await desk.cookie(ANA))["cookie"].partition("=")[2]
    cookie = {"cookie": f"__Host-signoff={token}"}

    for origin in ("http://bot.example.com", "https://bot.example.com:444", "https://example.com"):
        refused = await desk.stranger.delete("/api/session", headers={**cookie, "origin": origin})
        assert code(refused) == (403, "cross_site")
    ended = await desk.stranger.delete("/api/session", headers={**cookie, "origin": URL})
    assert ended.status_code == 204


async def test_browsers_are_told_to_come_back_by_https_only(desk: Desk) -> None:
    response = await desk.stranger.get("/healthz")

    assert response.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_a_browser_votes_through_the_api_as_the_web(desk: Desk) -> None:
    key = await desk.key()
    asked = (await key.post("/api/approvals", ASKED)).json()
    token = (await desk.cookie(ANA))["cookie"].partition("=")[2]

    voted = await desk.stranger.post(
        f"{asked['status_url']}/votes",
        json={"choice": "approve", "version": 1},
        headers={"cookie": f"__Host-signoff={token}", "sec-fetch-site": "same-origin"},
    )

    assert voted.status_code == 200
    seen = (await key.get(asked["status_url"])).json()
    assert seen["votes"][0]["channel"] == "web"
