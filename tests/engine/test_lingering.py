"""A branch goes on as soon as its own wait is over, also while another one is in the middle of a step."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest

from engine.ids import TenantId
from engine.services import votes
from engine.store.database import Database, Transaction
from engine.store.hints import Hints
from signoff import Run, workflow
from tests.engine.flows import LEDGER, MEANWHILE, deed, meanwhile, undo
from tests.engine.stage import Stage
from tests.engine.test_branches import answers, cast_on, open_ones, statuses

pytestmark = pytest.mark.anyio

T = TypeVar("T")

HOUR = timedelta(hours=1)
SECONDS_MAX = 60


async def until(is_so: Callable[[], bool], database: Database) -> None:
    """Ask the store for nothing again and again, which lets others have their turn."""
    async with asyncio.timeout(SECONDS_MAX):
        while not is_so():
            await database.read(lambda tx: None)


async def _asked(branch: Run, who: str) -> str:
    await branch.approval(f"Fine for {who}?", action=who, approvers=f"person:{who}")
    await branch.step(deed, f"{who} acts", name=f"{who} acts", undo=undo)
    return who


@workflow
async def lopsided(run: Run) -> dict[str, str]:
    """One branch asks ana, one sleeps; the third is in a long step, and then asks bo."""

    async def works(branch: Run) -> str:
        await branch.step(meanwhile, "long")
        return await _asked(branch, "bo")

    async def sleeps(branch: Run) -> str:
        await branch.sleep("1h")
        return await branch.step(deed, "woke")

    return dict(await run.gather(ana=partial(_asked, who="ana"), works=works, sleeps=sleeps))


@workflow
async def nested_lopsided(run: Run) -> dict[str, str]:
    """As `lopsided`, with whoever asks in a branch of a branch."""

    async def works(branch: Run) -> str:
        return await branch.step(meanwhile, "long")

    async def around(branch: Run) -> str:
        return str(dict(await branch.gather(ana=partial(_asked, who="ana"))))

    return dict(await run.gather(around=around, works=works))


@workflow
async def one_by_one(run: Run) -> dict[str, str]:
    """Of two branches that ask, the second has to come after the first."""
    turn = asyncio.Semaphore(1)

    async def asks(branch: Run, who: str) -> str:
        async with turn:
            return await _asked(branch, who)

    return dict(await run.gather(ana=partial(asks, who="ana"), bo=partial(asks, who="bo")))


@workflow
async def cut_short(run: Run) -> None:
    """One branch asks, while the other is in a step that fails for good."""

    async def breaks(branch: Run) -> str:
        await branch.step(meanwhile, "long")
        raise ValueError("broken")

    await run.gather(ana=partial(_asked, who="ana"), breaks=breaks)


LATE: list[asyncio.Event] = []  # the one of the test that runs


@workflow
async def late_to_ask(run: Run) -> None:
    """One branch sleeps, and one begins to ask ana while the third is in a long step, and then asks bo."""

    async def works(branch: Run) -> str:
        await branch.step(meanwhile, "long")
        return await _asked(branch, "bo")

    async def ana(branch: Run) -> str:
        await LATE[-1].wait()
        return await _asked(branch, "ana")

    await run.gather(ana=ana, works=works, sleeps=lambda branch: branch.sleep("1h"))


class Slow:
    """A database on which each look of a run that lingers waits until it is let go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looks = 0
        self._begun = {number: asyncio.Event() for number in (1, 2)}
        self._doors = {number: asyncio.Event() for number in (1, 2)}
        LATE[:] = [asyncio.Event()]

    @property
    def hints(self) -> Hints:
        return self._database.hints

    def of(self, _tenant: TenantId, /) -> "Slow":
        return self

    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        return self._database.submit(deed)

    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        return await self._database.write(deed, within=within)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        if query.__qualname__.startswith("Lingering."):
            self._looks += 1
            if self._looks in self._doors:
                self._begun[self._looks].set()
                await self._doors[self._looks].wait()
        return await self._database.read(query)

    async def began(self, look: int) -> None:
        """Return once the look of this number has begun."""
        async with asyncio.timeout(SECONDS_MAX):
            await self._begun[look].wait()

    def let_go(self, look: int) -> None:
        self._doors[look].set()


def in_the_long_step(stage: Stage, *deeds: Callable[[], Awaitable[None]]) -> None:
    """Have these happen while the long step goes on."""

    async def all_of_them() -> None:
        for each in deeds:
            await each()

    MEANWHILE[:] = [all_of_them]


def decides(
    stage: Stage, choice: str = "approve", *, then: str | None = None
) -> Callable[[], Awaitable[None]]:
    """Ana decides once she is asked, and what follows is waited for."""

    async def decided() -> None:
        while not (asked := await stage.database.read(open_ones)):
            pass
        ballot = cast_on(asked[0].id, "ana", choice)
        await stage.database.write(lambda tx: votes.cast(tx, ballot))
        if then is not None:
            await until(lambda: then in LEDGER, stage.database)

    return decided


@pytest.mark.parametrize("name", ["lopsided", "nested_lopsided"])
async def test_a_branch_goes_on_while_another_is_in_a_step(stage: Stage, name: str) -> None:
    in_the_long_step(stage, decides(stage, then="ana acts"))

    run = await stage.start(name)

    assert LEDGER[:2] == ["ana acts", "long"]
    assert await stage.is_sound(run)


async def test_a_moment_that_has_come_is_not_waited_for_any_longer(stage: Stage) -> None:
    async def an_hour_passes() -> None:
        await until(lambda: bool(LEDGER), stage.database)
        await stage.clock.advance(HOUR)
        await until(lambda: "woke" in LEDGER, stage.database)

    in_the_long_step(stage, decides(stage), an_hour_passes)

    await stage.start("lopsided")

    assert LEDGER == ["ana acts", "woke", "long"]


async def test_what_went_on_so_is_replayed_as_it_was(stage: Stage) -> None:
    in_the_long_step(stage, decides(stage, then="ana acts"))
    run = await stage.start("lopsided")
    await stage.pass_time(HOUR)

    await answers(stage, run, "bo")

    row = (await stage.picture(run)).row
    assert row.result == {"ana": "ana", "works": "bo", "sleeps": "woke"}
    assert LEDGER == ["ana acts", "long", "woke", "bo acts"]
    assert await stage.is_sound(run)


async def test_a_rejection_ends_the_others_and_all_is_undone(stage: Stage) -> None:
    in_the_long_step(stage, decides(stage, "reject"))

    run = await stage.start("lopsided")

    assert (await stage.picture(run)).row.status == "rolled_back"
    assert "branches.ended" in await stage.kinds(run)
    assert await stage.is_sound(run)


async def test_a_rejection_that_is_heard_as_the_last_branch_begins_to_wait_is_not_missed(
    stage: Stage,
) -> None:
    slow = Slow(stage.database)
    decide = decides(stage, "reject")

    async def asks_late() -> None:
        await slow.began(1)  # a look at the journal that will find the rejection, and nobody here
        LATE[-1].set()
        await decide()
        slow.let_go(1)
        await slow.began(2)  # which never ends

    in_the_long_step(stage, asks_late)
    stage.database = slow

    run = await stage.start("late_to_ask")

    assert (await stage.picture(run)).row.status == "rolled_back"
    assert await stage.is_sound(run)


async def test_a_failure_ends_whoever_stays(stage: Stage) -> None:
    async def is_asked() -> None:
        while not await stage.database.read(open_ones):
            pass

    in_the_long_step(stage, is_asked)

    run = await stage.start("cut_short")

    assert (await stage.picture(run)).row.status == "failed"
    assert await statuses(stage, run) == ["cancelled"]


async def test_nobody_stays_with_something_that_the_others_wait_for(stage: Stage) -> None:
    run = await stage.start("one_by_one")

    assert await statuses(stage, run) == ["open", "open"]
    assert (await stage.picture(run)).row.reason == "branches"

    for person in ("bo", "ana"):
        await answers(stage, run, person)
    assert (await stage.picture(run)).row.status == "completed"
    assert await stage.is_sound(run)
