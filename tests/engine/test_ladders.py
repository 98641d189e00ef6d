"""Whom a ladder adds can decide from then on, and not before."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, PersonId
from engine.rules.tally import Choice
from engine.services import approvals, votes
from engine.services.approvals import Request
from engine.services.votes import Ballot
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def voted(stage: Stage, approval: str, person: str) -> str:
    """Approve, as somebody; gives what is said to that, or the code of the refusal."""
    ballot = Ballot(
        tenant=DEFAULT_TENANT,
        approval=approval,
        person=PersonId(person),
        choice=Choice.APPROVE,
        channel="web",
        identified_by="session",
    )
    receipt = await stage.database.write(lambda tx: votes.cast(tx, ballot))
    return receipt.message if receipt.refusal is None else receipt.refusal.code


@pytest.mark.parametrize("verb", ["widen", "escalate"])
async def test_whoever_is_added_decides_from_then_on_and_not_before(
    stage: Stage, verb: str
) -> None:
    request = Request(
        title="Deploy?",
        action="deploy",
        approvers="person:bo",
        ladder=[f"{verb} to group:legal after 1h", "reject after 4h"],
    )
    asked = await stage.database.write(
        lambda tx: approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
    )

    await stage.pass_time(HOUR - timedelta(seconds=1))
    early = await voted(stage, asked.id, "eve")
    await stage.pass_time(timedelta(seconds=1))
    stranger = await voted(stage, asked.id, "dana")
    said = await voted(stage, asked.id, "eve")
    await stage.worker().drain()

    seen = await stage.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, asked.id))
    assert (early, stranger) == ("not_eligible", "not_eligible")
    assert said.startswith("Recorded.")
    assert (seen.status, [vote.person for vote in seen.votes]) == ("approved", ["eve"])
    assert await stage.is_sound(asked.run)
