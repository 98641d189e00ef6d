"""What makes a crowd cheap breaks no promise: nothing is remembered of who may, and every try is on record."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select

from engine.ids import PersonId
from engine.services.configuration import Directory, ListedPerson
from engine.store.chains import broken_chains
from engine.store.database import Transaction
from engine.store.tables import audit
from tests.api.desk import ASKED, Desk, Known, code, given_company

pytestmark = pytest.mark.anyio

CROWD = [PersonId(f"p{number:02}") for number in range(24)]
MANY = Directory(
    people=tuple(
        ListedPerson(id=person, name=f"Person {person}", email=f"{person}@example.com")
        for person in CROWD
    ),
    groups={"finance": frozenset(CROWD)},
    roles={"operator": frozenset({CROWD[0]})},
    routes={},
)
VOTE = {"choice": "approve", "version": 1}


async def asked(desk: Desk, *, quorum: int) -> str:
    """Where people vote on something that so many of the crowd decide."""
    await given_company(desk.application.database, MANY)
    answer = await (await desk.key()).post("/api/approvals", {**ASKED, "quorum": quorum})
    return f"{answer.json()['status_url']}/votes"


def recorded(tx: Transaction) -> Counter[str]:
    return Counter(tx.connection.execute(select(audit.c.kind)).scalars())


async def test_a_session_that_was_ended_is_refused_at_the_next_vote(desk: Desk) -> None:
    votes = await asked(desk, quorum=3)
    voter = await desk.person(CROWD[1])
    before = await voter.post(votes, VOTE)

    await voter.send("DELETE", "/api/session")

    assert before.json()["counted"] is True
    assert code(await voter.post(votes, VOTE)) == (401, "bad_session")


async def test_whoever_left_the_group_neither_votes_nor_counts(desk: Desk) -> None:
    votes = await asked(desk, quorum=3)
    first, second, third = [await desk.person(person) for person in CROWD[1:4]]
    await first.post(votes, VOTE)
    stayed = replace(MANY, groups={"finance": frozenset(CROWD[3:])})

    await given_company(desk.application.database, stayed)

    assert code(await second.post(votes, VOTE)) == (403, "not_eligible")
    assert (await third.post(votes, VOTE)).json()["message"] == "Recorded. 1 of 3 approvals."


async def test_whoever_joined_a_moment_ago_counts(desk: Desk) -> None:
    votes = await asked(desk, quorum=3)
    fewer = replace(MANY, groups={"finance": frozenset(CROWD[:2])})
    await given_company(desk.application.database, fewer)
    voter = await desk.person(CROWD[5])
    refused = await voter.post(votes, VOTE)

    await given_company(desk.application.database, MANY)

    assert code(refused) == (403, "not_eligible")
    assert (await voter.post(votes, VOTE)).json()["counted"] is True


async def test_a_person_who_is_disabled_is_a_stranger_at_once(desk: Desk) -> None:
    votes = await asked(desk, quorum=3)
    voter = await desk.person(CROWD[1])
    await voter.get("/api/me")
    rest = tuple(person for person in MANY.people if person.id != CROWD[1])

    await given_company(
        desk.application.database,
        replace(MANY, people=rest, groups={"finance": frozenset(CROWD[2:])}),
    )

    assert code(await voter.post(votes, VOTE)) == (401, "bad_session")


async def test_a_role_that_was_taken_away_opens_nothing_any_more(desk: Desk) -> None:
    await given_company(desk.application.database, MANY)
    operator = await desk.person(CROWD[0])
    before = await operator.get("/api/keys")

    await given_company(desk.application.database, replace(MANY, roles={}))

    assert before.status_code == 200
    assert code(await operator.get("/api/keys")) == (403, "missing_scope")


async def test_every_late_and_every_refused_vote_of_a_crowd_is_on_record(desk: Desk) -> None:
    votes = await asked(desk, quorum=2)
    strangers = [await desk.person(person) for person in CROWD[:4]]
    few = replace(MANY, groups={"finance": frozenset(CROWD[4:])})
    await given_company(desk.application.database, few)
    crowd = [*strangers, *[await desk.person(person) for person in CROWD[4:]]]

    told = await asyncio.gather(*(said(voter, votes) for voter in crowd))

    assert Counter(told) == {"counted": 2, "already_decided": 18, "not_eligible": 4}
    kept = await desk.application.database.read(recorded)
    assert (kept["vote.late"], kept["vote.refused"]) == (18, 4)
    assert await desk.application.database.read(lambda tx: list(broken_chains(tx))) == []


async def said(voter: Known, votes: str) -> str:
    answer = await voter.post(votes, VOTE)
    return "counted" if answer.status_code == 200 else code(answer)[1]
