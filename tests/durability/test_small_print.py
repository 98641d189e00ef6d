"""Single lines that hold the house up: each of these tests fails when one of them is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from bot.chaos.checker.pages import opened_book
from engine.errors import (
    AlreadyDecided,
    DigestMismatch,
    LeaseLost,
    NotEligible,
    Refused,
    Superseded,
)
from engine.ids import DEFAULT_TENANT, ApprovalId, LeaseToken, MessageId, PersonId, WorkerId
from engine.rules.states import ApprovalStatus, ImpossibleChange
from engine.rules.tally import Choice
from engine.services import approvals, deliveries, driving, votes
from engine.services.approvals import Asking, Request
from engine.services.driving import Driven, Permit
from engine.services.votes import Ballot
from engine.store import approvals as rows
from engine.store import endings, outbox
from engine.store.database import Transaction
from engine.store.journal import NewEntry
from engine.store.outbox import REFRESH, Delivery, NewDelivery
from engine.store.tables import approvals as approval_table
from tests.clock import NOON
from tests.durability.scene import Scene

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=90)
REFUND = Request(
    title="Refund?", action="refund", approvers="group:finance", requester="person:ana"
)


async def asked(scene: Scene, request: Request = REFUND) -> str:
    """An approval that nobody has answered."""
    return await scene.database.write(
        lambda tx: (
            approvals.ask(
                tx, DEFAULT_TENANT, request, started_by="key:agent", owner=PersonId("bo")
            ).id
        )
    )


def ballot(approval: str, person: str, **seen: Any) -> Ballot:
    return Ballot(
        tenant=DEFAULT_TENANT,
        approval=approval,
        person=PersonId(person),
        choice=Choice.APPROVE,
        channel="web",
        identified_by="session",
        **seen,
    )


async def test_who_asked_is_refused_and_their_vote_is_no_row(scene: Scene) -> None:
    approval = await asked(scene)

    with pytest.raises(NotEligible, match="own request"):
        await votes.vote(scene.database, ballot(approval, "ana"))

    assert opened_book(scene.database.path)["votes"] == []


@pytest.mark.parametrize("seen", [{"version": 2}, {"digest": "sha256:00"}], ids=str)
async def test_a_vote_on_something_else_is_refused_by_version_and_by_digest(
    scene: Scene, seen: dict[str, Any]
) -> None:
    approval = await asked(scene)

    with pytest.raises(Superseded):
        await votes.vote(scene.database, ballot(approval, "chen", **seen))

    assert opened_book(scene.database.path)["votes"] == []


@pytest.mark.parametrize(
    "since", [{"status": ApprovalStatus.REJECTED}, {"version": 2}], ids=["ended", "edited"]
)
async def test_an_approval_that_moved_on_since_it_was_read_is_not_ended(
    scene: Scene, since: dict[str, Any]
) -> None:
    approval = await asked(scene)

    def twice(tx: Transaction) -> None:
        read = rows.get(tx, DEFAULT_TENANT, approval)
        moved = update(approval_table).where(approval_table.c.id == approval)
        tx.connection.execute(moved.values(**since))
        decision = endings.decision_of(tx, "approved", rule="quorum")
        endings.end(tx, read, ApprovalStatus.APPROVED, decision=decision)

    with pytest.raises(AlreadyDecided):
        await scene.database.write(twice)


async def test_an_edit_of_what_was_edited_since_is_not_stored(scene: Scene) -> None:
    approval = await asked(scene)

    def stale(tx: Transaction) -> bool:
        read = rows.get(tx, DEFAULT_TENANT, approval)
        return rows.replace_open(tx, replace(read, version=3), before=2)

    assert not await scene.database.write(stale)


async def given_decided(scene: Scene) -> tuple[Driven, Permit]:
    """A driver that holds a run whose refund was approved, and what it may do."""
    run = await scene.start("shaky_refund")
    await scene.drive()
    approval = (await scene.picture(run)).approvals[0]
    for person in ("ana", "bo"):
        await scene.vote(approval.id, person)
    [claim] = await scene.database.write(
        lambda tx: driving.claim(
            tx, worker=WorkerId("w"), workflows=["shaky_refund@1"], lease_for=LEASE, limit=1
        )
    )
    driven = Driven(tenant=DEFAULT_TENANT, run=run, token=claim.token)
    return driven, Permit(approval=approval.id, digest=approval.digest, call=approval.call or {})


async def dispatched(scene: Scene, driven: Driven, permit: Permit) -> None:
    begun = NewEntry(kind="step.begun", name="pay", path="4")
    await scene.database.write(lambda tx: driving.dispatch(tx, driven, begun, permit))


def other_call(permit: Permit) -> Permit:
    return replace(permit, call={**permit.call, "name": "tests.durability.flows:do"})


def other_digest(permit: Permit) -> Permit:
    return replace(permit, digest="sha256:00")


@pytest.mark.parametrize("changed", [other_call, other_digest])
async def test_another_call_or_digest_than_was_approved_is_not_dispatched(
    scene: Scene, changed: Callable[[Permit], Permit]
) -> None:
    driven, permit = await given_decided(scene)

    with pytest.raises(DigestMismatch):
        await dispatched(scene, driven, changed(permit))

    await dispatched(scene, driven, permit)


async def test_what_was_changed_in_the_file_after_its_approval_is_not_dispatched(
    scene: Scene,
) -> None:
    driven, permit = await given_decided(scene)
    forged = text("UPDATE approvals SET content = replace(content, '10.00', '99.00')")
    await scene.database.write(lambda tx: tx.connection.execute(forged))
    arguments = {"args": ["99.00"], "kwargs": {}}

    with pytest.raises(DigestMismatch):
        await dispatched(
            scene, driven, replace(permit, call={**permit.call, "arguments": arguments})
        )


async def test_a_decision_is_used_once_and_only_by_its_own_run(scene: Scene) -> None:
    other, _its_own = await given_decided(scene)
    driven, permit = await given_decided(scene)

    with pytest.raises(Refused, match="No decision"):
        await dispatched(scene, other, permit)
    await dispatched(scene, driven, permit)
    with pytest.raises(Refused, match="used already"):
        await dispatched(scene, driven, permit)


async def test_an_approval_that_is_open_or_rejected_permits_nothing(scene: Scene) -> None:
    driven, permit = await given_decided(scene)
    back = text("UPDATE approvals SET status = 'rejected'")
    await scene.database.write(lambda tx: tx.connection.execute(back))

    with pytest.raises(Refused, match="No decision"):
        await dispatched(scene, driven, permit)


async def test_a_step_is_not_dispatched_without_the_lease(scene: Scene) -> None:
    driven, permit = await given_decided(scene)

    with pytest.raises(LeaseLost):
        await dispatched(scene, replace(driven, token=LeaseToken("other")), permit)

    row = opened_book(scene.database.path).approvals[permit.approval]
    assert row["consumed_at"] is None


async def test_only_what_was_sent_back_is_asked_again_as_its_next_round(scene: Scene) -> None:
    driven, permit = await given_decided(scene)
    before = opened_book(scene.database.path).approvals[permit.approval]
    again = Asking(run=driven.run, path="9", token=driven.token, again=ApprovalId(permit.approval))

    with pytest.raises(ImpossibleChange):
        await scene.database.write(
            lambda tx: approvals.open_for_run(tx, DEFAULT_TENANT, REFUND, again)
        )

    assert opened_book(scene.database.path).approvals[permit.approval] == before


def refresh(message: str, said: str, event: str = REFRESH) -> NewDelivery:
    return NewDelivery(
        tenant=DEFAULT_TENANT,
        message=MessageId(message),
        channel="email",
        address="ana@example.com",
        kind="update",
        event=event,
        due_at=NOON,
        payload={"said": said},
    )


async def enqueued(scene: Scene, *new: NewDelivery) -> list[str]:
    """Their payloads as they are stored, in the order they will be sent."""
    await scene.database.write(lambda tx: [outbox.enqueue(tx, each) for each in new])
    return [row["payload"] for row in opened_book(scene.database.path)["outbox"]]


async def claimed(scene: Scene) -> list[Delivery]:
    return await scene.database.write(
        lambda tx: deliveries.claim(tx, "email", limit=9, lease_for=LEASE)
    )


async def test_refreshes_that_wait_become_one_with_the_newest_content(scene: Scene) -> None:
    stored = await enqueued(scene, refresh("m", "old"), refresh("m", "new"), refresh("n", "other"))

    assert stored == ['{"said":"new"}', '{"said":"other"}']


async def test_a_refresh_does_not_overtake_what_was_said_in_between(scene: Scene) -> None:
    stored = await enqueued(
        scene, refresh("m", "one"), refresh("m", "edit", "approval.edited"), refresh("m", "two")
    )

    assert stored == ['{"said":"one"}', '{"said":"edit"}', '{"said":"two"}']


async def test_what_may_have_arrived_keeps_its_content_under_its_key(scene: Scene) -> None:
    await enqueued(scene, refresh("m", "one"))
    [delivery] = await claimed(scene)
    await scene.database.write(
        lambda tx: deliveries.failed(tx, delivery, "no answer", retry_at=scene.clock.now())
    )

    stored = await enqueued(scene, refresh("m", "two"))

    assert stored == ['{"said":"one"}', '{"said":"two"}']


async def test_a_dispatcher_whose_lease_ran_out_marks_nothing(scene: Scene) -> None:
    await enqueued(scene, refresh("m", "one"))
    [first] = await claimed(scene)
    await scene.pass_time(LEASE)
    [second] = await claimed(scene)

    with pytest.raises(LeaseLost):
        await scene.database.write(lambda tx: deliveries.sent(tx, first, None))
    await scene.database.write(lambda tx: deliveries.sent(tx, second, None))

    assert first.lease != second.lease


async def test_a_lease_that_ran_out_marks_nothing_though_nobody_else_has_it(scene: Scene) -> None:
    await enqueued(scene, refresh("m", "one"))
    [held] = await claimed(scene)
    await scene.pass_time(LEASE)

    with pytest.raises(LeaseLost):
        await scene.database.write(lambda tx: deliveries.sent(tx, held, None))


async def test_of_one_message_only_the_first_delivery_is_handed_out(scene: Scene) -> None:
    await enqueued(scene, refresh("m", "one"), refresh("m", "two", "approval.edited"))

    first = await claimed(scene)
    while_sending = await claimed(scene)
    await scene.database.write(lambda tx: deliveries.sent(tx, first[0], None))
    second = await claimed(scene)

    said = [[each.payload["said"] for each in them] for them in (first, while_sending, second)]
    assert said == [["one"], [], ["two"]]
