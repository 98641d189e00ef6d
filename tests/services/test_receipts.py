"""Receipts: one effect for one request id, an honest unknown, and a way out of it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from engine.clock import iso
from engine.errors import Conflict, Invalid, KillSwitchTriggered, NotFound, RequestIdConflict
from engine.ids import DEFAULT_TENANT, TenantId
from engine.rules.switches import TENANT
from engine.runtime.once import OwnLedger, receipts_in
from engine.services import receipts as kept
from engine.services.receipts import Ending
from engine.store import switches
from engine.store.database import Database
from signoff.effects import Absent, NoEffect, Present, Unclear
from signoff.receipts import Receipt, Receipts
from signoff.running import StepInfo
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

PAYLOAD = {"order": "17", "amount": "62.00"}
SHORT = timedelta(seconds=30)


class World:
    """What an effect does, and how it fails."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self.fails: list[Exception] = []

    def refund(self, payload: object, *, step: StepInfo) -> dict[str, str]:
        failure = self.fails.pop(0) if self.fails else None
        if not isinstance(failure, NoEffect):
            self.made.append(payload)
        if failure is not None:
            raise failure
        return {"refund": f"ref_{len(self.made)}", "key": step.request_id}


class Vanishing(OwnLedger):
    """Claims, and is never heard of again."""

    @override
    async def settle(self, receipt: Receipt, ending: Mapping[str, object]) -> Receipt:
        raise ConnectionError("gone")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def ledger(database: Database) -> Receipts:
    return receipts_in(database, DEFAULT_TENANT, by="worker:one")


async def refund(ledger: Receipts, world: World, key: str = "order-17", **terms: Any) -> Receipt:
    return await ledger.once(key, "refund", PAYLOAD, world.refund, **terms)


async def settle(database: Database, receipt: Receipt, ending: Ending) -> None:
    ours, execution = database.of(DEFAULT_TENANT), receipt.execution_id or ""
    await ours.write(lambda tx: kept.end(tx, DEFAULT_TENANT, execution, ending))


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
async def test_without_a_request_id_nothing_is_done(
    ledger: Receipts, world: World, blank: str
) -> None:
    with pytest.raises(Invalid, match="request id") as refused:
        await refund(ledger, world, blank)

    assert refused.value.code == "missing_request_id"
    assert world.made == []


@pytest.mark.parametrize(
    ("action", "payload"), [("refund", {"order": "18"}), ("pay", PAYLOAD), ("refund", None)]
)
async def test_the_same_id_for_something_else_is_a_conflict(
    ledger: Receipts, world: World, action: str, payload: object
) -> None:
    await refund(ledger, world)

    with pytest.raises(RequestIdConflict) as refused:
        await ledger.once("order-17", action, payload, world.refund)

    assert refused.value.code == "request_id_conflict"
    assert len(world.made) == 1


async def test_a_repeat_gets_the_first_receipt(ledger: Receipts, world: World) -> None:
    first = await refund(ledger, world)
    again = await refund(ledger, world)

    assert (first.ok, first.reason, again.reason) == (True, "executed", "dedup_same_request_id")
    assert first.result == {"refund": "ref_1", "key": "order-17"}
    assert again.model_dump(exclude={"reason"}) == first.model_dump(exclude={"reason"})
    assert world.made == [PAYLOAD]


async def test_a_receipt_says_what_was_done_which_time_and_when(
    clock: ManualClock, ledger: Receipts, world: World
) -> None:
    first, done_at = await refund(ledger, world), iso(clock.now())
    await clock.advance(SHORT)
    again, other = await refund(ledger, world), await refund(ledger, world, "order-17-twice")

    assert (first.request_id, first.action, first.payload) == ("order-17", "refund", PAYLOAD)
    assert first.timestamp_utc == again.timestamp_utc == done_at
    assert other.timestamp_utc == iso(clock.now())
    assert first.execution_id == again.execution_id != other.execution_id
    assert str(first.execution_id).startswith("exe_")


async def test_the_order_of_the_payload_does_not_matter(ledger: Receipts, world: World) -> None:
    await refund(ledger, world)

    again = await ledger.once("order-17", "refund", dict(reversed(PAYLOAD.items())), world.refund)

    assert again.reason == "dedup_same_request_id"


async def test_tenants_and_namespaces_are_apart(
    database: Database, ledger: Receipts, world: World
) -> None:
    other = receipts_in(database, TenantId("acme"), by="worker:two")

    for each in (
        await refund(ledger, world),
        await refund(ledger, world, namespace="other"),
        await refund(other, world),
    ):
        assert each.reason == "executed"


async def test_without_an_effect_the_receipt_alone_is_kept(ledger: Receipts, world: World) -> None:
    first = await ledger.once("order-17", "refund", PAYLOAD)
    again = await refund(ledger, world)

    assert (first.ok, first.reason) == (True, "recorded")
    assert again.execution_id == first.execution_id
    assert world.made == []


async def test_a_failure_without_effect_leaves_the_way_free(ledger: Receipts, world: World) -> None:
    world.fails.append(NoEffect("the line was busy"))

    failed = await refund(ledger, world)
    made = await refund(ledger, world)

    assert (failed.ok, failed.reason) == (
        False,
        "failed_no_effect:NoEffect: the line was busy",
    )
    assert (made.ok, made.attempt, len(world.made)) == (True, 2, 1)


async def test_any_other_failure_is_unknown_and_not_repeated(
    ledger: Receipts, world: World
) -> None:
    world.fails.append(TimeoutError("no answer"))

    failed = await refund(ledger, world)
    again = await refund(ledger, world)

    assert (failed.ok, failed.state, again.reason) == (False, "unknown", "unknown")
    assert len(world.made) == 1


async def test_further_names_of_an_effect_get_its_receipt(ledger: Receipts, world: World) -> None:
    first = await refund(ledger, world, "call-1", name="refund of 17")
    other = await refund(ledger, world, "call-2", name="refund of 17")
    again = await refund(ledger, world, "call-2")

    assert [first.reason, other.reason, again.reason] == [
        "executed",
        "already_settled",
        "already_settled",
    ]
    assert {each.execution_id for each in (first, other, again)} == {first.execution_id}
    assert len(world.made) == 1


async def test_a_long_result_is_kept_as_an_artifact(ledger: Receipts) -> None:
    long = {"text": "x" * 20_000}

    first = await ledger.once("order-17", "report", None, lambda: long)
    again = await ledger.once("order-17", "report", None, lambda: long)

    assert first.artifact is not None
    assert first.artifact.startswith("sha256:")
    assert again.result == long


@pytest.mark.parametrize("odd", [object(), float("nan"), 2**70])
async def test_what_happened_counts_whatever_it_returned(ledger: Receipts, odd: object) -> None:
    made = await ledger.once("order-17", "report", None, lambda: odd)

    assert (made.ok, made.result) == (True, None)
    assert made.error is not None


async def test_an_approval_that_is_required_must_exist(ledger: Receipts, world: World) -> None:
    with pytest.raises(NotFound):
        await refund(ledger, world, requires="apr_none")

    assert world.made == []


@pytest.mark.parametrize(
    ("answer", "reason", "made"),
    [
        (lambda *_: Present({"refund": "ref_9"}), "found", 1),
        (lambda *_: Absent(), "executed", 2),
        (lambda *_: Unclear("being mended"), "unknown", 1),
        (None, "unknown", 1),
    ],
)
async def test_what_is_unknown_is_asked_of_the_probe(
    ledger: Receipts, world: World, answer: Callable[..., object] | None, reason: str, made: int
) -> None:
    world.fails.append(OSError("reset"))
    await refund(ledger, world)

    again = await refund(ledger, world, probe=answer)

    assert (again.reason, len(world.made)) == (reason, made)


async def test_whoever_is_not_heard_of_leaves_an_unknown(
    database: Database, clock: ManualClock, ledger: Receipts, world: World
) -> None:
    gone = Receipts(Vanishing(database, DEFAULT_TENANT, "worker:gone"))
    with pytest.raises(ConnectionError):
        await refund(gone, world, lease=SHORT)
    early = await refund(ledger, world, wait=timedelta())
    await clock.advance(SHORT)
    late = await refund(ledger, world)

    assert (early.reason, late.reason) == ("in_progress", "unknown")
    assert len(world.made) == 1


async def test_only_the_claim_of_now_can_be_settled(
    database: Database, ledger: Receipts, world: World
) -> None:
    made = await refund(ledger, world)
    lost = Ending(outcome="unknown", by="worker:two", token="x" * 30)
    guess = Ending(outcome="failed_no_effect", by="person:ana", attempt=1)

    for ending, code in ((lost, "claim_lost"), (guess, "not_unknown")):
        with pytest.raises(Conflict) as refused:
            await settle(database, made, ending)
        assert refused.value.code == code


async def test_an_operator_settles_what_is_unknown(
    database: Database, ledger: Receipts, world: World
) -> None:
    world.fails.append(OSError("reset"))
    unknown = await refund(ledger, world)
    said = Ending(outcome="succeeded", by="person:ana", result={"refund": "r"}, reason="I looked.")

    await settle(database, unknown, said)
    again = await refund(ledger, world)

    assert (again.ok, again.result, again.settled_by) == (True, {"refund": "r"}, "person:ana")
    assert len(world.made) == 1


async def test_under_a_kill_switch_nothing_new_is_claimed_and_what_was_done_is_told(
    database: Database, ledger: Receipts, world: World
) -> None:
    done = await ledger.once("order-17", "refund", PAYLOAD, world.refund)
    await database.write(
        lambda tx: switches.put(tx, DEFAULT_TENANT, TENANT, by="person:ana", reason="stop")
    )

    with pytest.raises(KillSwitchTriggered):
        await ledger.once("order-18", "refund", PAYLOAD, world.refund)
    again = await ledger.once("order-17", "refund", PAYLOAD, world.refund)

    assert (again.ok, again.result) == (True, done.result)
    assert len(world.made) == 1
