"""What becomes of an effect is on record: one entry for each change, and none for a question."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from typing_extensions import override

from engine.ids import DEFAULT_TENANT, TenantId
from engine.runtime.once import OwnLedger, receipts_in
from engine.services import auditing, expiring, receipts
from engine.services.receipts import Ending
from engine.store.database import Database, Transaction
from engine.store.receipt_adoption import adopt
from engine.store.tables import receipts as rows
from signoff.receipts import Receipt, Receipts
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

PAYLOAD = {"order": "17", "amount": "62.00"}
SHORT = timedelta(seconds=30)


class Vanishing(OwnLedger):
    """Claims, and is never heard of again."""

    @override
    async def settle(self, receipt: Receipt, ending: Mapping[str, object]) -> Receipt:
        raise ConnectionError("gone")


@pytest.fixture
def ledger(database: Database) -> Receipts:
    return receipts_in(database, DEFAULT_TENANT, by="worker:one")


async def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """What the audit says of receipts, in order."""
    found = await database.read(
        lambda tx: auditing.page(tx, DEFAULT_TENANT, kind="receipt.", before=None, limit=100)
    )
    return [(line.kind, json.loads(json.dumps(line.data))) for line in reversed(found)]


async def wrong(database: Database) -> list[str]:
    """What a walk over the record finds."""
    report = await auditing.verify(database, DEFAULT_TENANT, trusted=[])
    return [finding.says for finding in report.findings]


async def test_whoever_asks_again_changes_nothing_on_record(
    database: Database, ledger: Receipts
) -> None:
    for _time in range(3):
        await ledger.once("order-17", "refund", PAYLOAD, lambda: "made")

    entries = await told(database)
    assert [kind for kind, _said in entries] == ["receipt.granted", "receipt.settled"]
    assert [said["state"] for _kind, said in entries] == ["claimed", "succeeded"]
    assert await wrong(database) == []


async def test_an_unknown_effect_is_told_of_with_how_it_was_found_out(
    database: Database, clock: ManualClock, ledger: Receipts
) -> None:
    gone = Receipts(Vanishing(database, DEFAULT_TENANT, "worker:gone"))
    with pytest.raises(ConnectionError):
        await gone.once("order-17", "refund", PAYLOAD, lambda: "made", lease=SHORT)
    await clock.advance(SHORT)
    late = await ledger.once("order-17", "refund", PAYLOAD, lambda: "made")
    said = Ending(outcome="failed_no_effect", by="person:ana", reason="I looked.")
    await database.write(lambda tx: receipts.end(tx, DEFAULT_TENANT, str(late.execution_id), said))
    await ledger.once("order-17", "refund", PAYLOAD, name="refund of 17")

    kinds = [kind.removeprefix("receipt.") for kind, _said in await told(database)]
    assert kinds == ["granted", "doubted", "reconciled", "recorded"]
    assert await wrong(database) == []


async def test_an_effect_that_people_rejected_is_told_of_as_refused(
    database: Database, clock: ManualClock, ledger: Receipts
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    run = await stage.start("paid-refund")
    approval = (await stage.picture(run)).approvals[-1].id
    waits = await ledger.once("order-17", "refund", PAYLOAD, lambda: "made", requires=approval)
    await stage.vote(run, "ana", "reject", comment="not this one")

    refused = await ledger.once("order-17", "refund", PAYLOAD, lambda: "made", requires=approval)

    assert (waits.reason, refused.reason) == ("blocked:open", "blocked:rejected")
    ((kind, said),) = await told(database)
    assert (kind, said["requires"], said["reason"]) == (
        "receipt.refused", approval, "blocked:rejected",
    )  # fmt: skip


async def test_nothing_that_anybody_wrote_stands_in_the_chain(
    database: Database, ledger: Receipts
) -> None:
    await ledger.once("order-17", "refund", PAYLOAD, lambda: {"iban": "ES12"})

    said = json.dumps(await told(database))

    assert "62.00" not in said
    assert "ES12" not in said


async def test_a_row_that_is_put_back_to_what_it_was_is_found(
    database: Database, ledger: Receipts
) -> None:
    gone = Receipts(Vanishing(database, DEFAULT_TENANT, "worker:one"))
    with pytest.raises(ConnectionError):
        await gone.once("order-17", "refund", PAYLOAD, lambda: "made", lease=SHORT)
    before = await database.read(
        lambda tx: dict(tx.connection.execute(rows.select()).mappings().one())
    )
    said = Ending(outcome="succeeded", by="worker:one", token=before["token"])
    await database.write(lambda tx: receipts.end(tx, DEFAULT_TENANT, before["execution"], said))
    whole = await wrong(database)

    await database.write(lambda tx: tx.connection.execute(rows.update().values(before)))

    assert whole == []
    assert await wrong(database) == [
        "The receipt default/order-17 is older than what the audit says of it."
    ]


async def test_receipts_from_before_are_told_of_once(database: Database, ledger: Receipts) -> None:
    for number in range(3):
        await ledger.once(f"order-{number}", "refund", PAYLOAD, lambda: "made")
    await database.write(_as_before)
    unknown = await wrong(database)

    adopted = await database.write(lambda tx: adopt(tx.connection))
    again = await database.write(lambda tx: adopt(tx.connection))

    assert (adopted, again) == (3, 0)
    assert len(unknown) == 3
    assert await wrong(database) == []


def _as_before(tx: Transaction) -> None:
    """As if nobody had told the audit of receipts yet."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        for name in ("changed", "deleted"):
            tx.connection.execute(text(f"DROP TRIGGER audit_is_not_{name}"))
    tx.connection.execute(text("DELETE FROM audit WHERE kind LIKE 'receipt.%'"))
    tx.connection.execute(rows.update().values(told=None))


async def test_a_claim_of_which_nobody_is_heard_in_time_is_unknown_and_told_of_once(
    database: Database, clock: ManualClock, ledger: Receipts
) -> None:
    for tenant in (DEFAULT_TENANT, TenantId("acme")):
        gone = Receipts(Vanishing(database, tenant, "worker:gone"))
        with pytest.raises(ConnectionError):
            await gone.once("order-17", "refund", PAYLOAD, lambda: "made", lease=SHORT)
    await ledger.once("order-18", "refund", PAYLOAD, lambda: "made", lease=SHORT)
    early = await database.write(expiring.expire_due)
    await clock.advance(SHORT)

    looked = [await database.write(expiring.expire_due) for _time in range(2)]

    states = await database.read(
        lambda tx: [
            row.state for row in receipts.page(tx, DEFAULT_TENANT, state=None, before=None, limit=9)
        ]
    )
    assert (early, looked, sorted(states)) == (0, [2, 0], ["succeeded", "unknown"])
    assert [kind for kind, _said in await told(database)][-1] == "receipt.doubted"
    assert await wrong(database) == []
