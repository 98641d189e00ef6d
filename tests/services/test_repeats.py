"""Requests, events and bytes that come again are known, and change nothing."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from engine.errors import EngineError, Fault, IdempotencyConflict, Invalid, NotFound
from engine.ids import DEFAULT_TENANT, TenantId
from engine.services import idempotency, inbox
from engine.store import artifacts, tables
from engine.store.database import Database, Transaction
from tests.clock import ManualClock
from tests.services.rows import count

pytestmark = pytest.mark.anyio

HERE = DEFAULT_TENANT
DAY = timedelta(days=1)


async def recalled(
    database: Database,
    *,
    caller: str = "key_1",
    key: str = "order-17",
    fingerprint: str = "a",
) -> str | None:
    return await database.read(
        lambda tx: idempotency.recall(tx, HERE, caller=caller, key=key, fingerprint=fingerprint)
    )


async def remembered(database: Database, *, key: str = "order-17") -> None:
    await database.write(
        lambda tx: idempotency.remember(
            tx, HERE, caller="key_1", key=key, fingerprint="a", answer='{"id":"apr_1"}'
        )
    )


async def first_time(database: Database, key: str, source: str = "slack") -> bool:
    return await database.write(
        lambda tx: inbox.first_time(tx, HERE, source, key, keep_for=timedelta(minutes=15))
    )


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "é", "\ud800", "\x00", "a" * 256])
async def test_a_bad_idempotency_key_is_refused(database: Database, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        await recalled(database, key=key)

    assert refused.value.code == "bad_idempotency_key"


async def test_the_same_key_with_another_request_is_refused(database: Database) -> None:
    await remembered(database)

    with pytest.raises(IdempotencyConflict):
        await recalled(database, fingerprint="b")


async def test_the_same_request_gets_the_first_answer(database: Database) -> None:
    assert await recalled(database) is None
    await remembered(database)

    assert await recalled(database) == '{"id":"apr_1"}'
    assert await recalled(database, caller="key_2", fingerprint="b") is None
    assert await recalled(database, key="ORDER-17") is None


async def test_answers_are_forgotten_after_a_week(database: Database, clock: ManualClock) -> None:
    await remembered(database)
    await clock.advance(7 * DAY)

    assert await recalled(database, fingerprint="b") is None
    await remembered(database)
    assert await count(database, "idempotency") == 1


async def test_an_event_is_acted_on_once(database: Database) -> None:
    assert await first_time(database, "Ev1")
    assert not await first_time(database, "Ev1")
    assert await first_time(database, "Ev1", source="webhook:erp")


async def test_an_event_whose_deed_failed_may_come_again(database: Database) -> None:
    def fails(tx: Transaction) -> None:
        inbox.first_time(tx, HERE, "slack", "Ev1", keep_for=DAY)
        raise EngineError("no")

    with pytest.raises(EngineError):
        await database.write(fails)

    assert await first_time(database, "Ev1")


async def test_events_are_forgotten_in_time(database: Database, clock: ManualClock) -> None:
    for number in range(3):
        await first_time(database, f"Ev{number}")
    await clock.advance(timedelta(minutes=15))

    assert await first_time(database, "Ev1")
    assert await count(database, "inbox") == 1


async def test_long_and_broken_keys_are_told_apart(database: Database) -> None:
    long = "a" * 100_000

    for key in (long, long + "b", "\ud800" * 201):
        assert await first_time(database, key)
        assert not await first_time(database, key)


async def test_an_artifact_is_only_read_under_its_own_name(database: Database) -> None:
    name = await database.write(lambda tx: artifacts.put(tx, HERE, b"{}", "application/json"))

    for wanted in ("", name.upper(), name[:-1], "sha256:" + "0" * 64, "../etc/passwd"):
        with pytest.raises(NotFound):
            await database.read(partial(artifacts.get, tenant=HERE, name=wanted))
    with pytest.raises(NotFound):
        await database.read(lambda tx: artifacts.get(tx, TenantId("other"), name))


async def test_a_damaged_artifact_is_not_handed_out(database: Database) -> None:
    name = await database.write(lambda tx: artifacts.put(tx, HERE, b"100 EUR", "text/plain"))
    await database.write(
        lambda tx: tx.connection.execute(update(tables.artifacts).values(content=b"900 EUR"))
    )

    with pytest.raises(Fault) as refused:
        await database.read(lambda tx: artifacts.get(tx, HERE, name))

    assert refused.value.code == "artifact_damaged"


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"a" * 1_000_000])
async def test_the_same_bytes_are_kept_once(database: Database, content: bytes) -> None:
    names = {
        await database.write(lambda tx: artifacts.put(tx, HERE, content, "text/plain"))
        for _ in range(2)
    }

    assert len(names) == 1
    found = await database.read(lambda tx: artifacts.get(tx, HERE, names.pop()))
    assert found.content == content
    assert await count(database, "artifacts") == 1
