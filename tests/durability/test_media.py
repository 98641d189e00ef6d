"""What the stand-ins for mail and webhooks received is checked against the file as well."""

import sqlite3
from collections.abc import AsyncGenerator, Iterable

import pytest

from bot.chaos.checker.pages import opened_book
from bot.chaos.checker.violations import Evidence, Shown, violations
from engine.store.sqlite import SqliteDatabase
from engine.tokens import Tokens
from tests.channels.office import ANA, BO, Office, office
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

AT = "erp"


@pytest.fixture
async def open_office(
    database: SqliteDatabase, clock: ManualClock, tokens: Tokens
) -> AsyncGenerator[Office]:
    async with office(database, clock, tokens) as opened:
        yield opened


def hooked(events: Office) -> Iterable[Shown]:
    """What the webhook's receiver was told of approvals."""
    for event in events.hooks.deliveries.received():
        approval = event.approval
        if approval:
            yield Shown(
                key=event.id,
                approval=str(approval["id"]),
                address=AT,
                status=str(approval["status"]),
                version=int(str(approval["version"])),
            )


async def test_a_receiver_heard_everything_once_in_order_and_last_how_it_ended(
    open_office: Office, database: SqliteDatabase
) -> None:
    asked = await open_office.ask(routes={"webhook": ["erp"]})
    await open_office.dispatcher().drain()

    for person in (ANA, BO):
        await open_office.vote(asked.id, person)
        await open_office.dispatcher().drain()

    shown = [*hooked(open_office)]
    evidence = Evidence(shown=shown, channel="webhook")
    assert [each.status for each in shown] == ["open", "open", "approved"]
    assert violations(opened_book(database.path), evidence) == []


async def test_an_event_that_the_receiver_never_had_is_found(
    open_office: Office, database: SqliteDatabase
) -> None:
    await open_office.ask(routes={"webhook": ["erp"]})
    await open_office.dispatcher().drain()
    with sqlite3.connect(database.path) as connection:
        connection.execute("UPDATE outbox SET id = 'dlv_other'")
    connection.close()

    found = violations(
        opened_book(database.path), Evidence(shown=[*hooked(open_office)], channel="webhook")
    )

    assert any("dlv_other is marked as sent" in line for line in found)
    assert any("is not in the outbox" in line for line in found)
