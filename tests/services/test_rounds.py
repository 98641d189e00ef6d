"""The next round of an approval climbs a ladder of its own, from the first rung."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT
from engine.rules.tally import Choice
from engine.services import approvals, rungs, votes
from engine.services.approvals import Asking, Request
from engine.services.votes import Ballot
from engine.store.database import Database, Transaction
from tests.clock import ManualClock
from tests.services.rows import ANA, given_company

pytestmark = pytest.mark.anyio
REQUEST = Request(
    title="Deploy?",
    action="deploy",
    approvers="group:finance",
    routes={},
    ladder=["remind after 1h", "escalate to role:operator after 2h", "reject after 4h"],
)


async def test_what_fired_in_one_round_has_not_fired_in_the_next(
    database: Database, clock: ManualClock
) -> None:
    await given_company(database)
    first = await database.write(
        lambda tx: approvals.ask(tx, DEFAULT_TENANT, REQUEST, started_by="local", owner=None)
    )
    await clock.advance(timedelta(hours=3))
    await database.write(rungs.fire_due)
    back = Ballot(
        tenant=DEFAULT_TENANT, approval=first.id, person=ANA, choice=Choice.REQUEST_CHANGES,
        comment="Smaller.", channel="web", identified_by="session",
    )  # fmt: skip
    await votes.vote(database, back)

    def ask_again(tx: Transaction) -> None:
        asking = Asking(run=first.run, path="1", again=first.id)
        approvals.open_for_run(tx, DEFAULT_TENANT, REQUEST, asking)

    await database.write(ask_again)

    seen = await database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, first.id))
    assert (seen.version, seen.status) == (2, "open")
    assert seen.next_rung is not None
    assert seen.next_rung.text == "remind after 1h"
    await clock.advance(timedelta(hours=4))
    await database.write(rungs.fire_due)
    ended = await database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, first.id))
    assert ended.status == "expired"
