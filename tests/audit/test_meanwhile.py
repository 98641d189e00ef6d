"""Whoever walks the record while others write finds nothing wrong with it, however often a reading breaks off."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.runtime.once import receipts_in
from engine.services import anchoring, budgets, halting, keys
from engine.services.auditing import Walk
from engine.services.budgets import Wanted
from engine.services.keys import NewKey, Scope
from engine.store.database import Database, Transaction
from engine.store.findings import Report
from engine.store.keys import Caller
from engine.store.sqlite_driver import SqliteDriver
from tests.audit.ground import SIGNER, Ground, opened_at
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
ROUNDS = 6
OPERATOR = Caller(
    tenant=DEFAULT_TENANT, key=None, person=PersonId("ana"), scopes=frozenset(Scope), owner=PersonId("ana"),
    name="Ana", kind="person",
)  # fmt: skip


class Others:
    """What everybody else does meanwhile: each round starts, decides, claims, stops and anchors something."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.stage = database, Stage(database, clock)
        self._open: list[RunId] = []
        self._round = 0

    async def write(self) -> None:
        """One round."""
        self._round += 1
        self._open.append(await self.stage.start("paid-refund"))
        if len(self._open) > 1:
            decided = self._open.pop(0)
            for person in ("ana", "bo"):
                await self.stage.vote(decided, person)
        ledger = receipts_in(self.database, DEFAULT_TENANT, by="worker:one")
        for number in (self._round, self._round - 1):
            await ledger.once(f"order-{number}", "refund", {"order": number}, lambda: "made")
        await self.database.write(self._stop_or_release)
        await anchoring.anchor_all(self.database, DEFAULT_TENANT, SIGNER)

    def _stop_or_release(self, tx: Transaction) -> None:
        deed = halting.engage if self._round % 2 else halting.release
        deed(tx, OPERATOR, "workflow:other", reason="to see")
        keys.create(
            tx, DEFAULT_TENANT, NewKey(name="key", scopes=frozenset({Scope.READ})), by="person:ana"
        )


@BOTH
async def test_what_is_written_between_its_readings_is_no_damage(
    database: Database, clock: ManualClock
) -> None:
    others = await at_work(database, clock)
    walk, parts = Walk(DEFAULT_TENANT, trusted=[SIGNER.public], at_once=1), 0

    while await database.read(walk.go_on):
        parts += 1
        if parts <= ROUNDS:
            await others.write()

    assert [finding.says for finding in walk.report.findings] == []
    assert parts >= ROUNDS


@BOTH
async def test_what_is_written_during_its_readings_is_no_damage(
    database: Database, clock: ManualClock
) -> None:
    others = await at_work(database, clock)
    reports: list[Report] = []

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(_write(others))
        while not writing.done():
            reports.append(await walked(database))
    reports.append(await walked(database))

    assert [finding.says for report in reports for finding in report.findings] == []
    assert reports[-1].runs == ROUNDS + 2


@pytest.mark.parametrize("answered", range(10))
async def test_a_reading_that_breaks_off_and_is_done_again_counts_once(
    ground: Ground, answered: int
) -> None:
    async with opened_at(ground.path) as database:
        whole = await walked(database)
        walk, is_more = Walk(DEFAULT_TENANT, trusted=[SIGNER.public], at_once=2), True

        while is_more:
            try:
                is_more = await database.read(partial(_breaking_off, walk, answered))
            except ConnectionResetError:
                is_more = await database.read(walk.go_on)

    assert walk.report.to_json() == whole.to_json()
    assert whole.damaged == 0


class BreaksOff(SqliteDriver):
    """Answers so many questions, and no more."""

    def __init__(self, driver: SqliteDriver, left: int) -> None:
        super().__init__(driver.connection)
        self._left = left

    @override
    def rows(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        self._left -= 1
        if self._left < 0:
            raise ConnectionResetError("The line broke.")
        return super().rows(text, values)


def _breaking_off(walk: Walk, answered: int, tx: Transaction) -> bool:
    assert isinstance(tx.driver, SqliteDriver)
    tx.driver = BreaksOff(tx.driver, answered)
    return walk.go_on(tx)


async def at_work(database: Database, clock: ManualClock) -> Others:
    """Others, who have begun."""
    others = Others(database, clock)
    await others.stage.prepare()
    wanted = Wanted(limit={"steps": 9_000}, per="day")
    await database.write(lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="person:ana"))
    for _round in range(2):
        await others.write()
    return others


async def walked(database: Database) -> Report:
    """What a walk finds, two runs at once."""
    walk = Walk(DEFAULT_TENANT, trusted=[SIGNER.public], at_once=2)
    while await database.read(walk.go_on):
        pass
    return walk.report


async def _write(others: Others) -> None:
    for _round in range(ROUNDS):
        await others.write()
