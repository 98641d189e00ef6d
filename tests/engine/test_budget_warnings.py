"""Warnings that a budget is used up: an entry and a message at each mark; and money that cannot be added."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.ids import DEFAULT_TENANT
from engine.services import configuration, runs
from engine.services.configuration import Directory
from engine.store import routings
from engine.store.database import Transaction
from engine.store.tables import outbox
from tests.engine import spenders
from tests.engine.stage import Stage, cast_of_characters
from tests.engine.test_budgets import given_budget, summary, usage_of

pytestmark = pytest.mark.anyio


async def messages(stage: Stage) -> list[str]:
    """The titles of what operators were told of budgets, in order."""
    query = select(outbox.c.payload).where(outbox.c.event == "budget.warned")
    query = query.order_by(outbox.c.created_at, outbox.c.id)
    found = await stage.database.read(lambda tx: tx.connection.execute(query).scalars().all())
    return [str(each) for each in found]


def reach_operators_by_mail(tx: Transaction) -> None:
    listed = cast_of_characters()
    told = Directory(
        people=listed.people,
        groups=listed.groups,
        roles=listed.roles,
        routes={"operators": {"email": ["ops@example.com"]}},
    )
    configuration.apply(tx, DEFAULT_TENANT, told)
    routings.set_channels(tx, frozenset({"email"}))


async def test_each_mark_is_an_event_and_a_message_to_the_operators(stage: Stage) -> None:
    await stage.database.write(reach_operators_by_mail)
    await given_budget(stage, {"usd": "1.00"}, scope="workflow:loop", per="day")

    run = await stage.start("loop", steps=10)

    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=1000)
    )
    warned = [each.data for each in entries if each.kind == "budget.warned"]
    assert [each["percent"] for each in warned] == [50, 75, 90, 100]
    assert [each["spent"] for each in warned] == ["0.50 USD", "0.80 USD", "0.90 USD", "1.00 USD"]
    told = await messages(stage)
    assert [
        mark in each for mark, each in zip(("50 %", "75 %", "90 %", "100 %"), told, strict=True)
    ]
    assert len(told) == len(warned)


async def test_marks_that_are_passed_at_once_are_events_each_and_one_message(stage: Stage) -> None:
    await stage.database.write(reach_operators_by_mail)
    await given_budget(stage, {"usd": "0.10"}, scope="workflow:loop", per="day")

    run = await stage.start("loop", steps=1)

    assert (await stage.kinds(run)).count("budget.warned") == 4
    (told,) = await messages(stage)
    assert "100 %" in told


async def test_what_a_period_comes_to_is_foretold_as_it_goes_on(stage: Stage) -> None:
    budget = await given_budget(stage, {"usd": "9.00"}, per="hour")
    await stage.start("loop", steps=3)

    early = (await usage_of(stage, budget))["forecast"]
    await stage.clock.advance(timedelta(minutes=30))
    later = (await usage_of(stage, budget))["forecast"]

    def of(said: str) -> float:
        return float(said.split(maxsplit=1)[0])

    assert of(early) > of(later) >= 0.30


async def test_a_step_that_declares_another_currency_than_its_budget_does_not_begin(
    stage: Stage,
) -> None:
    await given_budget(stage, {"eur": "9.00"})

    run = await stage.start("loop", steps=1)

    error: Any = (await stage.picture(run)).row.error
    assert (error["code"], spenders.TILL) == ("mixed_currencies", [])


async def test_what_was_paid_unsaid_in_another_currency_is_on_record_and_done_once(
    stage: Stage,
) -> None:
    budget = await given_budget(stage, {"eur": "9.00", "tokens": 100})

    run = await stage.start("unsaid", usd="0.20", tokens=60)

    seen = await stage.picture(run)
    assert (str(seen.row.status), spenders.TILL) == ("completed", ["call"])
    assert summary(seen) == ("0.20 USD", 60)
    assert (await usage_of(stage, budget, "tokens"))["spent"] == "60 tokens"
    assert "budget.overrun" in await stage.kinds(run)
