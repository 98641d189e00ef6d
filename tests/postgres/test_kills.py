"""PostgreSQL is killed under load: nothing that was answered is lost, and nobody has to start us again."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest

from engine.errors import Unavailable
from engine.ids import ApprovalId, PersonId
from engine.services import votes
from engine.store.database import Database
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from tests.postgres import crowd
from tests.postgres.server import Server, server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

VOTERS, APPROVALS, KILLS = 30, 30, 5


@pytest.fixture
def mortal() -> Generator[Server]:
    with server() as started:
        yield started


@pytest.fixture
async def survivor(mortal: Server, surroundings: Surroundings) -> AsyncGenerator[PostgresDatabase]:
    url = mortal.url(mortal.make())
    async with opened_on(url, surroundings, width=Width(writers=10, readers=2)) as database:
        yield database


class Crowd:
    """Everybody votes on everything, again whenever the store was away, and remembers what was confirmed."""

    def __init__(self, database: Database, approvals: list[ApprovalId]) -> None:
        self.database, self.approvals = database, approvals
        self.confirmed: set[tuple[str, str]] = set()
        self.away = 0
        self.heard = asyncio.Condition()

    async def vote(self, person: PersonId) -> None:
        for approval in self.approvals:
            while (approval, person) not in self.confirmed:
                await self._try(approval, person)

    async def _try(self, approval: ApprovalId, person: PersonId) -> None:
        try:
            await votes.vote(self.database, crowd.ballot(approval, person))
        except Unavailable:
            self.away += 1
            return
        async with self.heard:
            self.confirmed.add((approval, person))
            self.heard.notify_all()

    async def after(self, number: int) -> None:
        async with self.heard:
            await self.heard.wait_for(lambda: len(self.confirmed) >= number)


async def test_no_confirmed_vote_is_lost_when_the_server_is_killed(
    mortal: Server, survivor: PostgresDatabase
) -> None:
    everybody = await crowd.given_crowd(survivor, VOTERS)
    asked = [await crowd.asked(survivor, quorum=VOTERS) for _ in range(APPROVALS)]
    voters = Crowd(survivor, asked)

    async with asyncio.TaskGroup() as group:
        for person in everybody:
            group.create_task(voters.vote(person))
        for number in range(1, KILLS + 1):
            await voters.after(number * VOTERS * APPROVALS // (KILLS + 1))
            await asyncio.to_thread(mortal.kill)
            await asyncio.to_thread(mortal.start)

    kept = await survivor.read(crowd.kept_votes)
    assert kept == voters.confirmed
    assert await survivor.read(crowd.decisions) == APPROVALS
    numbers = await survivor.read(crowd.sequences)
    assert all(found == list(range(1, VOTERS + 1)) for found in numbers.values())


async def test_while_the_server_is_away_everybody_is_told_and_afterwards_all_goes_on(
    mortal: Server, survivor: PostgresDatabase
) -> None:
    everybody = await crowd.given_crowd(survivor, 2)
    approval = await crowd.asked(survivor, quorum=2)
    await asyncio.to_thread(mortal.kill)

    with pytest.raises(Unavailable, match="Nothing of it was kept"):
        await votes.vote(survivor, crowd.ballot(approval, everybody[0]))
    with pytest.raises(Unavailable):
        await survivor.read(crowd.decisions)
    await asyncio.to_thread(mortal.start)

    receipt = await votes.vote(survivor, crowd.ballot(approval, everybody[0]))
    assert receipt.recorded


async def test_a_deed_that_lost_its_connection_is_done_again(
    mortal: Server, survivor: PostgresDatabase
) -> None:
    everybody = await crowd.given_crowd(survivor, 1)
    approval = await crowd.asked(survivor, quorum=1)
    await asyncio.to_thread(mortal.kill)
    await asyncio.to_thread(mortal.start)

    receipt = await votes.vote(survivor, crowd.ballot(approval, everybody[0]))

    assert receipt.status == "approved"
