"""Effects that require a case: none before its outcome is final, one for each case, and it is settled then."""

import asyncio
from typing import Any

import pytest

from engine.clock import iso
from engine.errors import Conflict, Invalid, NotFound, RequestIdConflict
from engine.ids import DEFAULT_TENANT
from engine.runtime.once import receipts_in
from engine.services import auditing
from engine.services import receipts as kept
from engine.services.receipts import Ending
from signoff.effects import NoEffect
from signoff.receipts import Receipt, Receipts
from tests.engine.sources import Matters
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

PAYLOAD = {"order": "17"}


class Shop:
    """Pays back for orders that did not arrive."""

    def __init__(self, ledger: Receipts) -> None:
        self.ledger = ledger
        self.paid: list[object] = []
        self.fails: list[Exception] = []

    def pay_back(self, payload: object) -> dict[str, int]:
        failure = self.fails.pop(0) if self.fails else None
        if not isinstance(failure, NoEffect):
            self.paid.append(payload)
        if failure is not None:
            raise failure
        return {"refund": len(self.paid)}

    async def once(self, key: str, case: str, **terms: Any) -> Receipt:
        given: dict[str, Any] = {"requires": case, "outcome": "no", **terms}
        return await self.ledger.once(key, "refund", PAYLOAD, self.pay_back, **given)


@pytest.fixture
def matters(stage: Stage) -> Matters:
    return Matters(stage=stage)


@pytest.fixture
def shop(stage: Stage) -> Shop:
    return Shop(receipts_in(stage.database, DEFAULT_TENANT, by="worker:shop"))


@pytest.mark.parametrize(
    "terms",
    [{"outcome": None}, {"requires": None}, {"name": "refund of 17"}, {"requires": "apr_none"}],
    ids=["no outcome", "no case", "another name", "an approval has no outcome"],
)
async def test_an_effect_says_which_outcome_of_which_case(
    matters: Matters, shop: Shop, terms: dict[str, Any]
) -> None:
    case = await matters.begin()
    said = {"requires": case, "outcome": "no", **terms}
    given: Any = {name: value for name, value in said.items() if value is not None}

    with pytest.raises(Invalid) as refused:
        await shop.ledger.once("order-17", "refund", PAYLOAD, shop.pay_back, **given)

    assert (refused.value.code, shop.paid) == ("bad_requires", [])


async def test_a_case_that_is_required_must_be_there(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await shop.once("order-17", "cas_none")


async def test_before_finality_it_is_blocked_and_nothing_is_remembered(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    reasons = [(await shop.once("order-17", case)).reason]

    for source, outcome in (("a", "no"), ("b", "yes")):
        await matters.say(case, source, outcome)
        reasons.append((await shop.once("order-17", case)).reason)
    await matters.say(case, "b", "no")
    made = await shop.once("order-17", case)

    assert reasons == [
        "blocked:open",
        "blocked:resolved_provisional",
        "blocked:in_reconciliation",
    ]
    assert (made.reason, made.settles, len(shop.paid)) == ("executed", case, 1)


async def test_an_outcome_that_is_not_the_one_meant_blocks(matters: Matters, shop: Shop) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "yes")

    blocked = await shop.once("order-17", case)

    assert (blocked.reason, shop.paid) == ("blocked:another_outcome", [])
    assert (blocked.execution_id, blocked.payload) == (None, PAYLOAD)
    assert blocked.timestamp_utc == iso(matters.stage.clock.now())
    assert (await matters.seen(case))["status"] == "final"


async def test_the_effect_settles_the_case_and_a_new_request_id_gets_the_same_settlement(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "no", "no")

    first = await shop.once("order-17", case)
    again = await shop.once("order-17", case)
    other = await shop.once("order-17-again", case)

    seen = await matters.seen(case)
    assert [each.reason for each in (first, again, other)] == [
        "executed",
        "dedup_same_request_id",
        "already_settled",
    ]
    assert {each.execution_id for each in (first, again, other)} == {seen["settlement"]}
    assert (seen["status"], len(shop.paid)) == ("settled", 1)
    assert [kind for kind, _ in await matters.told(case)].count("case.settled") == 1


async def test_from_the_first_signal_to_the_receipt_everything_is_on_record(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    await shop.once("order-17", case)
    await matters.all_say(case, "no", "no")
    made = await shop.once("order-17", case)
    await shop.once("order-17-again", case)

    database = matters.stage.database
    found = await database.read(
        lambda tx: auditing.page(tx, DEFAULT_TENANT, kind=None, before=None, limit=100)
    )
    told = [line for line in reversed(found) if line.kind.startswith(("case.", "receipt."))]
    assert [line.kind for line in told] == [
        "case.opened", "case.signalled", "case.signalled", "case.finalized",
        "receipt.granted", "case.settled", "receipt.settled", "receipt.named",
    ]  # fmt: skip
    assert str(made.execution_id) in str(told[5].data)
    assert (await auditing.verify(database, DEFAULT_TENANT, trusted=[])).findings == []


async def test_of_many_actors_at_once_under_ids_of_their_own_one_makes_it(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "no", "no")

    made = await asyncio.gather(*(shop.once(f"order-17-{actor}", case) for actor in range(8)))
    late = await matters.say(case, "s0", "yes")

    assert sorted(each.reason for each in made) == [*["already_settled"] * 7, "executed"]
    assert {each.execution_id for each in made} == {(await matters.seen(case))["settlement"]}
    assert len(shop.paid) == 1
    assert (late["reason"], late["case"]["status"], late["case"]["outcome"]) == (
        "late", "settled", "no",
    )  # fmt: skip


async def test_another_effect_for_the_same_case_is_a_conflict_in_whatever_namespace(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "no", "no")
    await shop.once("order-17", case)

    with pytest.raises(RequestIdConflict):
        await shop.once("order-17", case, namespace="elsewhere")
    with pytest.raises(RequestIdConflict):
        await shop.ledger.once("order-18", "refund", {}, shop.pay_back, requires=case, outcome="no")

    assert len(shop.paid) == 1


async def test_what_did_not_happen_settles_nothing_and_may_be_tried_again(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "no", "no")
    shop.fails.append(NoEffect("the bank is closed"))

    failed = await shop.once("order-17", case)
    status = (await matters.seen(case))["status"]
    made = await shop.once("order-17", case)

    assert (failed.state, status) == ("failed_no_effect", "final")
    assert (made.reason, (await matters.seen(case))["status"]) == ("executed", "settled")


async def test_what_nobody_knows_settles_the_case_once_somebody_found_out(
    matters: Matters, shop: Shop
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "no", "no")
    shop.fails.append(TimeoutError("no answer"))
    unknown = await shop.once("order-17", case)
    status = (await matters.seen(case))["status"]
    said = Ending(outcome="succeeded", by="person:ana", reason="It is on the statement.")

    await matters.stage.database.write(
        lambda tx: kept.end(tx, DEFAULT_TENANT, unknown.execution_id or "", said)
    )

    assert (unknown.state, status) == ("unknown", "final")
    assert (await matters.seen(case))["settlement"] == unknown.execution_id
    with pytest.raises(Conflict):
        await matters.stage.database.write(
            lambda tx: kept.end(tx, DEFAULT_TENANT, unknown.execution_id or "", said)
        )


async def test_what_was_done_elsewhere_settles_it_too(matters: Matters, shop: Shop) -> None:
    case = await matters.begin()
    await matters.all_say(case, "no", "no")

    recorded = await shop.ledger.once("order-17", "refund", PAYLOAD, requires=case, outcome="no")

    assert recorded.reason == "recorded"
    assert (await matters.seen(case))["settlement"] == recorded.execution_id
