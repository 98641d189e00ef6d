"""One key cannot flood people with requests."""

from dataclasses import replace

import pytest

from bot.application import Application
from bot.web.app import create_app
from engine.services.approvals import OpenCap
from tests.api.desk import ASKED, BO, Desk, code

pytestmark = pytest.mark.anyio
ALONE = {**ASKED, "quorum": 1}


async def test_a_key_that_reached_the_cap_asks_nothing_until_somebody_answered(
    application: Application,
) -> None:
    capped = replace(application, open_cap=OpenCap(2))
    async with Desk.of(create_app(capped), capped) as desk:
        key, other, bo = await desk.key(), await desk.key(), await desk.person(BO)
        first = (await key.post("/api/approvals", ALONE)).json()
        await key.post("/api/approvals", {**ALONE, "requester": "agent:first"})

        refused = await key.post("/api/approvals", ALONE, Idempotency_Key="once")
        claimed = await key.post("/api/approvals", {**ALONE, "requester": "agent:second"})
        others = await other.post("/api/approvals", ALONE)
        await bo.post(f"/api/approvals/{first['id']}/votes", {"choice": "approve", "version": 1})
        again = await key.post("/api/approvals", ALONE, Idempotency_Key="once")

    assert code(refused) == code(claimed) == (409, "too_many_open")
    assert "Ask again once" in refused.json()["detail"]
    assert (others.status_code, again.status_code) == (202, 202)
