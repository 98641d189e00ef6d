"""Many at once on PostgreSQL: one decision, no run in two hands, and one line of entries."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from engine.errors import AlreadyDecided, EngineError, TooManyOpen
from engine.ids import DEFAULT_TENANT, RunId, SystemIds, WorkerId
from engine.services import approvals, driving, runs, votes
from engine.services.approvals import OpenCap, Request
from engine.services.votes import Ballot
from engine.store import audit
from engine.store.database import Database, Transaction
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from engine.store.runs import NewRun
from tests.postgres import crowd

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

LEASE = timedelta(seconds=30)


async def cast(database: Database, ballot: Ballot) -> str:
    try:
        receipt = await votes.vote(database, ballot)
    except EngineError as refusal:
        return type(refusal).__name__
    return str(receipt.status)


async def test_of_a_thousand_votes_over_twenty_connections_two_decide_once(
    shared: PostgresDatabase,
) -> None:
    ours = shared.of(DEFAULT_TENANT)
    everybody = await crowd.given_crowd(ours, 1_000)
    approval = await crowd.asked(ours, quorum=2)

    answers = await asyncio.gather(
        *(cast(shared, crowd.ballot(approval, person)) for person in everybody)
    )

    assert Counter(answers) == {"open": 1, "approved": 1, AlreadyDecided.__name__: 998}
    assert await shared.of(DEFAULT_TENANT).read(crowd.decisions) == 1
    assert await shared.of(DEFAULT_TENANT).read(crowd.sequences) == {
        approval: list(range(1, 1_001))
    }
    assert await shared.of(DEFAULT_TENANT).read(crowd.broken_links) == []


async def test_no_run_is_handed_to_two_of_eight_claimers(
    shared: PostgresDatabase, url: str, surroundings: Surroundings
) -> None:
    wanted = await started(shared.of(DEFAULT_TENANT), 200)
    async with AsyncExitStack() as stack:
        narrow = Width(writers=1, readers=1)
        claimers = [
            await stack.enter_async_context(opened_on(url, surroundings, width=narrow))
            for _ in range(8)
        ]

        handed = await asyncio.gather(
            *(claimed(database, number) for number, database in enumerate(claimers))
        )

    given = Counter(run for some in handed for run in some)
    assert given == Counter(wanted)


async def test_sixteen_writers_leave_one_chain(shared: PostgresDatabase) -> None:
    await asyncio.gather(*(shared.of(DEFAULT_TENANT).write(Entry(number)) for number in range(320)))

    assert await shared.of(DEFAULT_TENANT).read(crowd.broken_links) == []


class Entry:
    """Writes one line of the audit chain."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, tx: Transaction) -> None:
        audit.append(tx, DEFAULT_TENANT, "test.written", {"number": self.number})


async def started(database: Database, number: int) -> list[RunId]:
    ids = SystemIds()
    wanted = [RunId(ids.new("run")) for _ in range(number)]

    def deed(tx: Transaction) -> None:
        for run in wanted:
            runs.start(
                tx,
                NewRun(
                    id=run, tenant=DEFAULT_TENANT, workflow="flow", version="1", input={},
                    started_by="local",
                ),
            )  # fmt: skip

    await database.write(deed)
    return wanted


async def claimed(database: Database, number: int) -> list[RunId]:
    """What one claimer is handed, five at a time, until there is nothing left for it twice."""
    found: list[RunId] = []
    empty = 0
    while empty < 2:
        claims = await database.write(
            lambda tx: driving.claim(
                tx, worker=WorkerId(f"w{number}"), workflows=["flow@1"], lease_for=LEASE, limit=5
            )
        )
        empty = 0 if claims else empty + 1
        found += [claim.run.id for claim in claims]
    return found


@pytest.mark.parametrize("most", [5, 40])
async def test_eight_processes_that_ask_for_one_key_at_once_open_no_more_than_its_cap(
    shared: PostgresDatabase, url: str, surroundings: Surroundings, most: int
) -> None:
    await crowd.given_crowd(shared.of(DEFAULT_TENANT), 1)
    async with AsyncExitStack() as stack:
        narrow = Width(writers=2, readers=1)
        askers = [
            (
                await stack.enter_async_context(opened_on(url, surroundings, width=narrow)),
                OpenCap(most),
            )
            for _ in range(8)
        ]

        answers = await asyncio.gather(
            *(asks(each.of(DEFAULT_TENANT), cap) for _ in range(8) for each, cap in askers)
        )

    assert Counter(answers) == {"open": most, TooManyOpen.__name__: 64 - most}


async def asks(database: Database, cap: OpenCap) -> str:
    request = Request(title="Go?", action="go", approvers="group:crowd", routes={})
    try:
        row = await database.write(
            lambda tx: approvals.ask(
                tx, DEFAULT_TENANT, request, started_by="key:agent", owner=None, cap=cap
            )
        )
    except TooManyOpen as refusal:
        return type(refusal).__name__
    return str(row.status)
