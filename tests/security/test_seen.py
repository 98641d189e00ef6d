"""A vote counts for what was before somebody's eyes, and the pages claim nothing that is not known."""

import pytest

from tests.api.desk import ANA, ASKED, BO, Desk, code
from tests.web.site import HTML

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("choice", ["approve", "reject", "abstain"])
async def test_a_vote_says_what_was_looked_at(desk: Desk, choice: str) -> None:
    key, ana = await desk.key(), await desk.person(ANA)
    asked = (await key.post("/api/approvals", ASKED)).json()

    refused = await ana.post(f"{asked['status_url']}/votes", {"choice": choice})

    assert code(refused) == (422, "invalid_request")
    assert (await key.get(asked["status_url"])).json()["votes"] == []


async def test_a_claimed_name_is_called_a_claim_on_every_page(desk: Desk) -> None:
    key, cookie = await desk.key(), await desk.cookie(ANA)
    claimed = (await key.post("/api/approvals", {**ASKED, "requester": "person:bo"})).json()
    own = (await key.post("/api/approvals", {**ASKED, "title": "Its own"})).json()

    pages = [
        (await desk.stranger.get(path, headers={**cookie, **HTML})).text
        for path in (claimed["page_url"], "/approvals", own["page_url"])
    ]

    assert ["a name that was not verified" in page for page in pages] == [True, True, False]


async def test_who_really_asked_is_no_claim(desk: Desk) -> None:
    key = await desk.key(owner=BO)

    asked = await key.post("/api/approvals", {**ASKED, "requester": "person:bo"})

    seen = (await key.get(asked.json()["status_url"])).json()
    assert seen["requester_is_verified"] is True
