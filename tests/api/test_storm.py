"""A thousand people press the button at once: one decision, and everybody is told the truth."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI

from bot.demo.serving import served
from engine.ids import PersonId
from engine.services.configuration import Directory, ListedPerson
from tests.api.desk import ASKED, Desk, given_company, session_for

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CROWD = [PersonId(f"p{number:04}") for number in range(1000)]
TOGETHER = 50  # a client looks through all its connections for each request
MANY = Directory(
    people=tuple(
        ListedPerson(id=person, name=f"Person {person}", email=f"{person}@example.com")
        for person in CROWD
    ),
    groups={"finance": frozenset(CROWD)},
    roles={},
    routes={},
)


async def test_of_a_thousand_votes_at_once_exactly_two_decide(app: FastAPI, desk: Desk) -> None:
    await given_company(desk.application.database, MANY)
    tokens = await desk.application.database.write(
        lambda tx: [session_for(tx, person, at="terminal") for person in CROWD]
    )
    key = await desk.key()
    asked = (await key.post("/api/approvals", ASKED)).json()

    async with served(app) as url:
        answers = await pressed(f"{url}{asked['status_url']}/votes", tokens)

    told = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told == {(200, None): 2, (409, "already_decided"): 998}
    counted = [answer.json() for answer in answers if answer.status_code == 200]
    assert sorted(receipt["status"] for receipt in counted) == ["approved", "open"]
    seen = (await key.get(asked["status_url"])).json()
    assert sum(vote["counted"] for vote in seen["votes"]) == 2
    names = [f"Person {person}" for person in seen["decision"]["by"]]
    late = [answer.json()["detail"] for answer in answers if answer.status_code == 409]
    assert all(name in sentence for name in names for sentence in late)
    journal = (await key.get(f"/api/runs/{asked['run']}/journal")).json()["entries"]
    assert [entry["kind"] for entry in journal].count("approval.decided") == 1


async def pressed(url: str, tokens: Sequence[str]) -> list[httpx.Response]:
    """What everybody was answered, who all began before anybody was."""
    groups = [tokens[first : first + TOGETHER] for first in range(0, len(tokens), TOGETHER)]
    answers = await asyncio.gather(*(pressed_by(url, group) for group in groups))
    return [answer for some in answers for answer in some]


async def pressed_by(url: str, tokens: Sequence[str]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=90, trust_env=False) as client:
        return await asyncio.gather(
            *(
                client.post(
                    url,
                    json={"choice": "approve", "version": 1},
                    headers={"authorization": f"Bearer {token}"},
                )
                for token in tokens
            )
        )
