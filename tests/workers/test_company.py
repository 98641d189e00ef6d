"""A run on its last chance is driven alone: also where others were being claimed as its turn came."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import update
from typing_extensions import override

from engine.ids import DEFAULT_TENANT, RunId, SystemIds, TenantId, WorkerId
from engine.rules.states import RunStatus
from engine.rules.suspicion import LAST_CHANCE
from engine.rules.wording import is_sequence
from engine.runtime.executor import Executor
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import runs
from engine.store.database import Database, Transaction
from engine.store.hints import Hints
from engine.store.runs import Claim, NewRun
from engine.store.tables import runs as rows
from signoff import Run, workflow
from signoff.registry import registered
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

T = TypeVar("T")

SECONDS_MAX = 60
INNOCENT, SUSPECT = RunId("run_innocent"), RunId("run_suspect")


@workflow
async def wk_in_company(run: Run) -> str:
    """Does nothing, and is driven for it."""
    return run.id


def claimed_in(answer: object) -> list[RunId]:
    """The runs that an answer hands to somebody."""
    given = answer if is_sequence(answer) else ()
    return [each.run.id for each in given if isinstance(each, Claim)]


class Late(Database):
    """A database whose answer to the claim of the innocent run is late."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self._is_claimed, self.is_suspected = asyncio.Event(), asyncio.Event()
        self.may_answer = asyncio.Event()
        self.given: list[tuple[RunId, bool]] = []  # and whether another one's answer was due

    @property
    @override
    def hints(self) -> Hints:
        return self._inner.hints

    @override
    def of(self, tenant: TenantId) -> Database:
        return self._inner

    @override
    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        return self._inner.submit(deed)

    @override
    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        answer = await self._inner.write(deed, within=within)
        claimed = claimed_in(answer)
        is_due = self._is_claimed.is_set() and not self.may_answer.is_set()
        self.given += [(run, is_due) for run in claimed]
        if INNOCENT in claimed:
            self._is_claimed.set()
            await self.may_answer.wait()
        return answer

    @override
    async def read(self, query: Callable[[Transaction], T]) -> T:
        answer = await self._inner.read(query)
        if answer == {LAST_CHANCE.low}:
            await self._is_claimed.wait()
            self.is_suspected.set()
        return answer


def prepare(tx: Transaction) -> None:
    """Somebody fresh, and somebody who was lost with its worker as often as may be."""
    for run in (INNOCENT, SUSPECT):
        new = NewRun(
            id=run, tenant=DEFAULT_TENANT, workflow="wk_in_company", version="1", input={},
            started_by="local",
        )  # fmt: skip
        runs.start(tx, new)
    lost = update(rows).where(rows.c.id == SUSPECT).values(tries=LAST_CHANCE.low)
    tx.connection.execute(lost)


def have_ended(tx: Transaction) -> bool:
    return all(
        runs.find(tx, DEFAULT_TENANT, run).status is RunStatus.COMPLETED
        for run in (INNOCENT, SUSPECT)
    )


async def test_nobody_who_was_being_claimed_comes_beside_a_run_on_its_last_chance(
    database: Database, clock: ManualClock
) -> None:
    await database.write(prepare)
    late = Late(database)
    workflows = Workflows(dict(registered()))
    executor = Executor(late, workflows, clock, SystemIds())
    worker = Worker(WorkerId("w"), late, executor, ["wk_in_company@1"])

    async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as group:
        at_work = group.create_task(worker.work())
        await late.is_suspected.wait()
        await database.write(lambda tx: None)  # behind whatever the worker has asked for
        late.may_answer.set()
        while not await database.read(have_ended):
            pass
        at_work.cancel()

    assert late.given == [(INNOCENT, False), (SUSPECT, False)]
