"""Rungs that are due at one instant fire together, and to each of them it is as if it fired alone."""

import asyncio
import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Select, select, update

from engine.errors import AlreadyDecided, EngineError, TooLate
from engine.failpoints import Mode
from engine.ids import DEFAULT_TENANT, ApprovalId
from engine.rules.tally import Choice
from engine.services import approvals, rungs, votes
from engine.services.approvals import Request
from engine.services.votes import Ballot
from engine.store.approvals import ApprovalRow
from engine.store.database import Database, Transaction
from engine.store.routings import set_channels
from engine.store.tables import approvals as approval_rows
from engine.store.tables import journal, messages, outbox
from tests.clock import ManualClock
from tests.crossings import failing
from tests.services.rows import ANA, given_company

pytestmark = pytest.mark.anyio

LONG = timedelta(hours=5)
REQUEST = Request(
    title="Deploy?",
    action="deploy",
    approvers="group:finance",
    routes={},
    ladder=["reject after 4h"],
    callback_url="https://example.com/decided",
)
KINDS = {
    "rejects": REQUEST,
    "rolls back": replace(REQUEST, ladder=["rollback after 4h"]),
    "continues": replace(REQUEST, ladder=['continue with {"pace": "slow"} after 4h']),
    "approves": replace(REQUEST, ladder=["approve after 4h"], risk="low"),
    "holds": replace(REQUEST, ladder=["hold after 4h"]),
    "reminds first": replace(REQUEST, ladder=["remind after 1h", "reject after 4h"]),
    "widens first": replace(REQUEST, ladder=["widen to person:bo after 1h", "reject after 4h"]),
    "by mail": replace(REQUEST, routes={"email": ["approvers"]}, ladder=["remind after 1h", "hold after 9h"]),
    "of somebody's manager": replace(REQUEST, approvers="manager_of:requester", requester="person:ana"),
    "may be changed": replace(
        REQUEST, kind="modify", details={"amount": "5"}, fields=["amount"], risk="low", ladder=["approve after 4h"],
    ),
}  # fmt: skip


async def given(database: Database, *requests: Request) -> list[ApprovalRow]:
    """These requests, asked at one instant."""

    def ask(tx: Transaction) -> list[ApprovalRow]:
        return [
            approvals.ask(tx, DEFAULT_TENANT, each, started_by="local", owner=None)
            for each in requests
        ]

    return await database.write(ask)


async def fire_all(database: Database) -> None:
    while await database.write(rungs.fire_due):
        pass


async def story(database: Database, row: ApprovalRow) -> list[tuple[str, object]]:
    """What was journaled and is to be sent, without what differs between two approvals that are alike."""

    def told(tx: Transaction) -> list[tuple[str, object]]:
        entries = select(journal.c.kind, journal.c.data).where(journal.c.run == row.run)
        sent = (
            select(outbox.c.event, outbox.c.payload)
            .join(messages, messages.c.id == outbox.c.message)
            .where(messages.c.approval == row.id)
        )
        lines = [*tx.connection.execute(entries.order_by(journal.c.position))]
        lines += tx.connection.execute(sent.order_by(outbox.c.id))
        return [(kind, json.loads(alike(data))) for kind, data in lines]

    return await database.read(told)


def alike(text: str) -> str:
    named = re.sub(r"(apr|run)_[0-9a-f]{32}", r"\1", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "then", named)


async def ended(database: Database) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """The states of all approvals, and how many decisions and final messages each of them has."""

    def counted(tx: Transaction) -> tuple[Counter[str], Counter[str], Counter[str]]:
        states = select(approval_rows.c.status)
        decided = select(journal.c.run).where(journal.c.kind == "approval.decided")
        said = select(outbox.c.message).where(outbox.c.event == "approval.expired")
        return _counted(tx, states), _counted(tx, decided), _counted(tx, said)

    return await database.read(counted)


def _counted(tx: Transaction, query: Select[tuple[str]]) -> Counter[str]:
    return Counter(str(row[0]) for row in tx.connection.execute(query))


async def test_one_that_is_damaged_is_put_off_alone(database: Database, clock: ManualClock) -> None:
    await given_company(database)
    rows = await given(database, *[REQUEST] * 11)
    broken = rows[5]
    await _set_ladder(database, broken.id, '["nonsense"]')
    await clock.advance(LONG)

    await fire_all(database)
    others, decided, said = await ended(database)
    await _set_ladder(database, broken.id, '["reject after 4h"]')
    await fire_all(database)
    before = await ended(database)
    await clock.advance(rungs.MENDING)
    await fire_all(database)

    assert others == {"expired": 10, "open": 1}
    assert broken.run not in decided
    assert set(decided.values()) == set(said.values()) == {1}
    assert before == (others, decided, said)
    states, decided, said = await ended(database)
    assert (states, len(decided), len(said)) == ({"expired": 11}, 11, 11)


async def test_to_each_it_is_as_if_it_fired_alone(database: Database, clock: ManualClock) -> None:
    await given_company(database)
    await database.write(lambda tx: set_channels(tx, frozenset({"email", "web", "webhook"})))
    alone: dict[str, list[tuple[str, object]]] = {}
    for kind, request in KINDS.items():
        (row,) = await given(database, request)
        await clock.advance(LONG)
        await fire_all(database)
        alone[kind] = await story(database, row)

    rows = await given(database, *KINDS.values())
    await clock.advance(LONG)
    await fire_all(database)

    together = {kind: await story(database, row) for kind, row in zip(KINDS, rows, strict=True)}
    assert together == alone


@pytest.mark.parametrize("mode", [Mode.BROKEN, Mode.LOST])
async def test_a_commit_that_fails_leaves_all_of_them_fired_or_due(
    database: Database, clock: ManualClock, mode: Mode
) -> None:
    await given_company(database)
    await given(database, *[REQUEST] * 9)
    await clock.advance(LONG)
    places = [f"commit.{kind}/rungs.fire_due={mode}" for kind in ("sqlite", "postgres")]

    with failing(",".join(places), clock), suppress(EngineError):
        await database.write(rungs.fire_due)
    halfway, _decided, _said = await ended(database)
    await fire_all(database)

    assert len(halfway) == 1
    states, decided, said = await ended(database)
    assert states == {"expired": 9}
    assert sorted(decided.values()) == sorted(said.values()) == [1] * 9


async def test_whoever_gets_there_each_fires_once(database: Database, clock: ManualClock) -> None:
    count = 2 * rungs.BATCH_MAX + 3
    await given_company(database)
    await given(database, *[REQUEST] * count)
    await clock.advance(LONG)

    fired = await asyncio.gather(*(database.write(rungs.fire_due) for _ in range(8)))
    await fire_all(database)

    assert max(fired) > 0
    states, decided, said = await ended(database)
    assert states == {"expired": count}
    assert sorted(decided.values()) == sorted(said.values()) == [1] * count


async def test_votes_that_come_with_them_are_told_the_truth(
    database: Database, clock: ManualClock
) -> None:
    await given_company(database)
    rows = await given(database, *[REQUEST] * 12)
    await clock.advance(LONG)

    told, _fired = await asyncio.gather(
        asyncio.gather(*(_vote(database, row.id) for row in rows), return_exceptions=True),
        asyncio.gather(*(database.write(rungs.fire_due) for _ in range(3))),
    )
    await fire_all(database)

    assert {type(each) for each in told} <= {TooLate, AlreadyDecided}
    states, decided, _said = await ended(database)
    assert states == {"expired": 12}
    assert sorted(decided.values()) == [1] * 12


async def _vote(database: Database, approval: ApprovalId) -> None:
    ballot = Ballot(
        tenant=DEFAULT_TENANT, approval=approval, person=ANA, choice=Choice.APPROVE, channel="web",
        identified_by="session",
    )  # fmt: skip
    await votes.vote(database, ballot)


async def _set_ladder(database: Database, approval: ApprovalId, ladder: str) -> None:
    where = approval_rows.c.id == approval
    change = update(approval_rows).where(where).values(ladder=ladder)
    await database.write(lambda tx: tx.connection.execute(change))


async def test_a_rung_that_came_due_just_now_is_looked_for_at_once_and_hides_no_other(
    database: Database, clock: ManualClock
) -> None:
    await given_company(database)
    await given(database, REQUEST, replace(REQUEST, ladder=["reject after 5h"]))
    whole, later = timedelta(hours=4), timedelta(hours=1)

    before = await database.read(rungs.due_in)
    await clock.advance(whole)
    just_now = await database.read(rungs.due_in)
    await clock.advance(later / 2)
    looked_at = await database.read(rungs.due_in)

    assert before is not None
    assert whole - timedelta(minutes=1) < before <= whole
    assert just_now == timedelta(0)
    assert looked_at is not None
    assert later / 4 < looked_at <= later / 2
