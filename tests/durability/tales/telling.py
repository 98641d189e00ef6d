"""How a story is told while one of its commits fails, and what those who took part in it do then."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from typing_extensions import override

from engine.errors import EngineError, Fault
from engine.failpoints import Mode, arm, disarm
from engine.ids import DEFAULT_TENANT, RunId, TenantId
from engine.store.database import Database, Transaction
from engine.store.hints import Hints
from engine.store.naming import named
from engine.store.work import confirmed, forget
from tests.clock import ManualClock
from tests.durability import notes
from tests.durability.scene import EMPTY, Died, Scene
from tests.engine import effects, flows, spenders

T = TypeVar("T")

LEASE = timedelta(seconds=31)  # a second more than a driver's


class Shaky(Database):
    """A database that fails its user at one commit, and notes which deeds are in which.

    A crash is the user's death: a dead one does nothing more. What breaks is the store's own failpoint.
    """

    def __init__(self, inner: Database, *, at: int = 0, mode: Mode = Mode.CRASH) -> None:
        self._inner, self._at, self._mode = inner, at, mode
        self.writes = 0
        self.deeds: dict[
            int, set[str]
        ] = {}  # by the number of the commit, where it wrote something
        self.is_dead, self.has_failed = False, False

    @property
    @override
    def hints(self) -> Hints:
        return self._inner.hints

    @override
    def of(self, tenant: TenantId) -> "Shaky":
        return self

    @override
    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        self._live()
        self.writes += 1
        if self.writes != self._at:
            noted = partial(self._noted, self.writes, deed) if not self._at else deed
            return self._inner.submit(noted)
        self.has_failed = True
        if self._mode in {Mode.BROKEN, Mode.LOST}:
            arm(f"commit.sqlite={self._mode}")
            return self._inner.submit(deed)
        self.is_dead = True
        if self._mode is Mode.CRASH:
            return self._inner.submit(partial(_undone, deed))
        return _unheard(self._inner.submit(deed))

    @override
    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        answer = await confirmed(self.submit(deed), within)
        self._live()
        return answer

    @override
    async def read(self, query: Callable[[Transaction], T]) -> T:
        self._live()
        return await self._inner.read(query)

    def _noted(self, number: int, deed: Callable[[Transaction], T], tx: Transaction) -> T:
        answer = named(deed, tx)
        if answer not in EMPTY:
            self.deeds[number] = set(tx.deeds)
        return answer

    def _live(self) -> None:
        if self.is_dead:
            raise Died


def _undone(deed: Callable[[Transaction], object], tx: Transaction) -> Any:
    deed(tx)
    raise Died


def _unheard(answer: asyncio.Future[T]) -> asyncio.Future[T]:
    """A future for whoever is dead when the deed is done."""
    never: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    never.add_done_callback(forget)

    def die(_done: asyncio.Future[T]) -> None:
        if not never.done():  # whoever waited may have been cancelled
            never.set_exception(Died())

    answer.add_done_callback(die)
    return never


@dataclass
class Telling:
    """One telling of a story: on which database its people act, and what they remember of it."""

    scene: Scene
    on: Database
    number: int
    runs: list[RunId] = field(default_factory=list[RunId])
    kept: dict[str, Any] = field(default_factory=dict[str, Any])

    def name(self, word: str) -> str:
        """A name that no other telling has."""
        return f"{word}-{self.number}"

    @property
    def run(self) -> RunId:
        """The run that it is about."""
        return self.runs[0]


Act = Callable[[Telling], Awaitable[object]]


async def nothing_else(_telling: Telling) -> object:
    """What is to be looked at in the end besides the runs."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What people and workers do, in order; `about` are the deeds of which it is the scenario.

    Whoever is not answered does the same again, as they would; it may be refused then. `end` is what
    must come out the same, whatever failed.
    """

    about: Collection[str]
    acts: tuple[Act, ...]
    end: Callable[[Telling], Awaitable[object]] = nothing_else


async def told(scene: Scene, story: Story, on: Shaky, number: int) -> object:
    """Tell a story, and give how it ended."""
    _forget_the_world()
    before = notes.count(scene.folder, "effects")
    telling = Telling(scene, on, number)
    for act in story.acts:
        await _performed(telling, on, act)
    telling.on = scene.database
    await scene.drive()
    await scene.deliver()
    rows = [(await scene.picture(run)).row for run in telling.runs]
    return (
        [(row.status, row.reason) for row in rows],
        sorted({*flows.LEDGER, *spenders.TILL}),
        list(dict.fromkeys(each.name for each in notes.effects(scene.folder, after=before))),
        await story.end(telling),
    )


async def _performed(telling: Telling, shaky: Shaky, act: Act) -> None:
    had_failed = shaky.has_failed
    try:
        await _while_time_passes(telling, act)
    except (Exception, Died, BaseExceptionGroup):
        if shaky.has_failed is had_failed:
            raise
    if shaky.has_failed is had_failed:
        return
    disarm()
    telling.on = telling.scene.database
    if shaky.is_dead:
        await telling.scene.restart()
    else:
        telling.scene.world.life += 1  # whoever goes on holds it anew
        await telling.scene.pass_time(LEASE)
    try:
        await act(telling)
    except Fault:
        raise
    except EngineError:
        return  # it is there already, which they learn so


async def _while_time_passes(telling: Telling, act: Act) -> None:
    """Act; where somebody waits before a next try, time passes."""
    clock = telling.scene.clock
    async with asyncio.TaskGroup() as group:
        acting = group.create_task(_acted(telling, act))
        while not (await asyncio.wait({acting}, timeout=0.01))[0]:
            if isinstance(clock, ManualClock) and clock.sleepers:
                await clock.advance(timedelta(seconds=1))


async def _acted(telling: Telling, act: Act) -> None:
    await act(telling)


def _forget_the_world() -> None:
    flows.LEDGER.clear()
    flows.FAIL.clear()
    spenders.TILL.clear()
    spenders.TROUBLE.clear()
    effects.prepare()


TENANT = DEFAULT_TENANT
