"""What breaks and is mended: a file, a worker and a dispatcher on it that can die, and people who vote."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Generic, TypeAlias

from typing_extensions import TypeVar, override

from bot.chaos.checker.pages import opened_book
from bot.chaos.checker.violations import Acked, Evidence, violations
from channels.base import Capabilities, Card, Channel, MessageRef, Notice
from channels.cards import CardBuilder
from channels.dispatch import Dispatcher
from engine.clock import Clock, micros
from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds, TenantId, WorkerId
from engine.rules.tally import Choice
from engine.runtime.executor import Executor
from engine.runtime.pace import Pace
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import configuration, deliveries, runs, tending, votes
from engine.services.runs import RunPicture
from engine.services.votes import Ballot, CastReceipt
from engine.store import routings
from engine.store.database import Database, Transaction
from engine.store.directory import Directory, ListedPerson
from engine.store.hints import Hints
from engine.store.runs import NewRun
from engine.store.sqlite import SqliteDatabase
from engine.tokens import Tokens
from signoff.registry import registered
from tests.clock import ManualClock
from tests.durability import flows, notes
from tests.durability.notes import Notes

T = TypeVar("T")
Where_co = TypeVar("Where_co", bound=Database, default=SqliteDatabase, covariant=True)

SECRET = b"a secret of at least 32 bytes for tests"
BASE = "https://bot.example.com"
GROUPS = {"finance": ("ana", "bo", "chen"), "release": ("ana", "dana")}
EMPTY: Final[tuple[object, ...]] = (0, [])
LATER = timedelta(days=2)


class Died(BaseException):
    """The process is gone: whatever it was about to do does not happen."""


class Mortal(Database):
    """A database whose user dies before or after its `last` write; a dead one does nothing more."""

    def __init__(
        self, inner: SqliteDatabase, *, last: int | None = None, before: bool = False
    ) -> None:
        self._inner, self._last, self._before = inner, last, before
        self.writes = 0
        self.telling: list[int] = []  # those that found something to do
        self.is_dead = False

    @property
    @override
    def hints(self) -> Hints:
        return self._inner.hints

    @override
    def of(self, tenant: TenantId) -> "Mortal":
        return self

    @override
    def submit(self, deed: Callable[[Transaction], T]) -> asyncio.Future[T]:
        self._live()
        self.writes += 1
        self.is_dead = self.writes == self._last
        if not (self.is_dead and self._before):
            return self._inner.submit(deed)
        never: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        never.cancel()
        return never

    @override
    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        self._live()
        self.writes += 1
        self.is_dead = self.writes == self._last
        if self.is_dead and self._before:
            raise Died
        number = self.writes
        answer = await self._inner.write(deed, within=within)
        if answer not in EMPTY:
            self.telling.append(number)
        self._live()
        return answer

    @override
    async def read(self, query: Callable[[Transaction], T]) -> T:
        self._live()
        return await self._inner.read(query)

    def _live(self) -> None:
        if self.is_dead:
            raise Died


class Notebook(Channel):
    """A medium that writes down what it is given; it stands in the place of email."""

    def __init__(self, world: Notes) -> None:
        self._world = world

    @property
    @override
    def name(self) -> str:
        return "email"

    @property
    @override
    def capabilities(self) -> Capabilities:
        return Capabilities(edits=True, votes=False, text_chars_max=1_000)

    @override
    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        self._keep(card, to, key)
        return MessageRef(data={"first": key}, shown=key)

    @override
    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        self._keep(card, to, key)
        return ref

    @override
    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        return

    @override
    async def check_health(self) -> None:
        return

    def _keep(self, card: Card, to: str, key: str) -> None:
        self._world.shown(
            key=key, approval=card.approval, address=to, status=card.status, version=card.version
        )


@dataclass
class Scene(Generic[Where_co]):
    """One database and one world; `world.life` counts how often a driver died."""

    database: Where_co
    clock: Clock
    world: Notes
    folder: Path
    tokens: Tokens = field(default_factory=lambda: Tokens(SECRET))
    ids: SystemIds = field(default_factory=SystemIds)

    async def prepare(self) -> None:
        """Everybody is known and can be reached, and what a dead owner held is freed."""
        flows.WORLD[:] = [self.world]
        await self.database.write(_prepared)

    def worker(self, database: Database | None = None, *, pace: Pace | None = None) -> Worker:
        """A worker, on `database` if it is to die."""
        on = database or self.database
        name = WorkerId(self.ids.new("wrk"))
        return Worker(name, on, self.executor(on), _workflows().pins, pace=pace)

    def executor(self, database: Database) -> Executor:
        """What drives one claim."""
        return Executor(database, _workflows(), self.clock, self.ids)

    def dispatcher(self, database: Database | None = None) -> Dispatcher:
        """A dispatcher, on `database` if it is to die."""
        on = database or self.database
        channels = {"email": Notebook(self.world)}
        cards = CardBuilder(on, base_url=BASE)
        return Dispatcher(on, channels, cards, clock=self.clock, base_url=BASE)

    async def drive(self, database: Database | None = None) -> None:
        """Drive all that is due; where the driver dies, another one begins."""
        if await self.killed(self.worker(database).drain()):
            await self.drive()

    async def deliver(self, database: Database | None = None) -> None:
        """Deliver all that is due; where the dispatcher dies, another one begins."""
        if await self.killed(self.dispatcher(database).drain()):
            await self.deliver()

    async def killed(self, work: Awaitable[object]) -> bool:
        """Whether whoever did this work died of it; then the next life has begun."""
        is_dead = False
        try:
            await work
        except* Died:
            is_dead = True
        if is_dead:
            await self.restart()
        return is_dead

    async def restart(self) -> None:
        """The next life begins: whoever held a lease is dead."""
        self.world.life += 1
        await self.database.write(_freed)

    async def pass_time(self, by: timedelta) -> None:
        """Let time go by, where it is moved by hand."""
        if isinstance(self.clock, ManualClock):
            await self.clock.advance(by)

    async def start(self, workflow: str, **given: object) -> RunId:
        """Start a run; nobody drives it yet."""
        return await self.start_as(RunId(self.ids.new("run")), workflow, given)

    async def start_as(self, run: RunId, workflow: str, given: Mapping[str, object]) -> RunId:
        """Start a run under this id; nobody drives it yet."""
        new = NewRun(
            id=run,
            tenant=DEFAULT_TENANT,
            workflow=workflow,
            version="1",
            input=given,
            started_by="key:agent",
        )
        await self.database.write(lambda tx: runs.start(tx, new))
        return run

    async def picture(self, run: RunId) -> RunPicture:
        """The run as it stands."""
        return await self.database.read(lambda tx: runs.picture(tx, DEFAULT_TENANT, run))

    async def vote(
        self,
        approval: str,
        person: str,
        choice: str = "approve",
        *,
        comment: str = "because",
        version: int | None = None,
        changes: Mapping[str, object] | None = None,
        form: Mapping[str, object] | None = None,
        on: Database | None = None,
    ) -> CastReceipt:
        """Vote by the one door, and note the answer.

        Raises:
            EngineError: as `votes.vote` does.
        """
        ballot = Ballot(
            tenant=DEFAULT_TENANT,
            approval=approval,
            person=PersonId(person),
            choice=Choice(choice),
            comment=comment,
            version=version,
            changes=changes,
            form=form,
            channel="web",
            identified_by="session",
        )
        receipt = await votes.vote(on or self.database, ballot)
        self.world.acked(
            Acked(approval=approval, person=person, choice=choice, status=receipt.status)
        )
        return receipt

    def violations(self, *, is_quiet: bool = True) -> list[str]:
        """What does not hold; `is_quiet` says that everything had its time."""
        return violations(opened_book(self.folder / "signoff.db"), self.evidence(is_quiet=is_quiet))

    def evidence(self, *, is_quiet: bool = True) -> Evidence:
        """What the world saw."""
        return Evidence(
            effects=notes.effects(self.folder),
            acked=notes.acks(self.folder),
            shown=notes.messages(self.folder),
            kills=self.world.life,
            names=flows.STEPS,
            made=notes.made(self.folder),
            channel="email",
            now=micros(self.clock.now()) if is_quiet else None,
        )


Anywhere: TypeAlias = Scene[Database]


def _workflows() -> Workflows:
    return Workflows(dict(registered()))


def _prepared(tx: Transaction) -> None:
    names = sorted({name for group in GROUPS.values() for name in group})
    people = tuple(
        ListedPerson(id=PersonId(name), name=name.title(), email=f"{name}@example.com")
        for name in names
    )
    groups = {name: frozenset(map(PersonId, them)) for name, them in GROUPS.items()}
    routes = {"default": {"email": ["approvers"]}}
    listed = Directory(people=people, groups=groups, roles={}, routes=routes)
    configuration.apply(tx, DEFAULT_TENANT, listed)
    routings.set_channels(tx, frozenset({"email"}))
    _freed(tx)


def _freed(tx: Transaction) -> None:
    tending.free_all(tx)
    deliveries.free_all(tx)
