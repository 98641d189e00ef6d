"""What a drive has still to journal: it goes along with the next deed, or soon by itself."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from engine.errors import EngineError, RunHeld, Unavailable
from engine.rules.states import RunShape, RunStatus
from engine.services import driving
from engine.services.driving import Driven
from engine.store.database import Database, Transaction
from engine.store.journal import NewEntry

T = TypeVar("T")


class Unwritten:
    """The entries of one drive that no transaction holds yet, in the order in which they came.

    A deed takes them all along, so that a step's end and what the code asks for next are one commit.
    Where the code turns to something else first, they are written by themselves, and the next deed
    waits until they are.
    """

    def __init__(self, driven: Driven, database: Database) -> None:
        self._driven, self.database = driven, database
        self._entries: list[NewEntry] = []
        self._under_way: asyncio.Future[RunShape] | None = None
        self._turn = asyncio.Lock()
        self._fresh: set[str] = set()  # the lanes whose end is as new as that

    def add(self, entry: NewEntry) -> None:
        """Have `entry` written with the next deed: should that never come, nothing depended on it."""
        self._entries.append(entry)

    def add_soon(self, entry: NewEntry) -> None:
        """Have `entry` written with the next deed, or as soon as the code waits for anything else."""
        self._entries.append(entry)
        self._fresh.add(lane(entry.path or ""))
        # Called once the code has given way to others: until then it may yet ask for its next deed.
        asyncio.get_running_loop().call_soon(self._write_by_themselves)

    def is_fresh(self, lane: str) -> bool:
        """Whether nobody else had a turn since `add_soon` for the branch of this prefix."""
        return lane in self._fresh

    async def write(self, deed: Callable[[Transaction, list[NewEntry]], T]) -> T:
        """Run `deed` in a transaction with what is unwritten, which it must append before its own.

        A deed that is refused leaves them unwritten. Branches write in turn, so that what each of them
        did is recorded in its order.

        Raises:
            LeaseLost, Unavailable: also where writing them by themselves has failed.
        """
        async with self._turn:
            return await self._write(deed)

    async def _write(self, deed: Callable[[Transaction, list[NewEntry]], T]) -> T:
        await self.settle()
        before, self._entries = self._entries, []
        try:
            return await self.database.write(lambda tx: deed(tx, before))
        except EngineError:
            self._entries[:0] = before
            raise

    async def record(self, *entries: NewEntry) -> None:
        """Append what is unwritten, and then `entries`, if there is anything at all.

        Raises:
            RunHeld: if the run was paused meanwhile; what may still be written of it is.
        """
        async with self._turn:
            await self.settle()
            if self._entries or entries:
                _demand_driven(
                    await self._write(
                        lambda tx, before: driving.record(tx, self._driven, [*before, *entries])
                    )
                )

    async def begin(self, *entries: NewEntry) -> None:
        """As `record`, for the intent of what the world will see.

        Raises:
            KillSwitchTriggered, RunHeld: if it may not begin; nothing was appended.
        """
        await self.write(lambda tx, before: driving.begin(tx, self._driven, [*before, *entries]))

    async def settle(self) -> None:
        """Wait for what is being written by itself.

        Raises:
            LeaseLost, Unavailable: if it could not be.
            RunHeld: if it was, and the run is paused.
        """
        if self._under_way is not None:
            shape = await asyncio.shield(self._under_way)
            self._under_way = None
            _demand_driven(shape)

    def _write_by_themselves(self) -> None:
        self._fresh.clear()
        if not self._entries or self._under_way is not None:
            return
        entries = self._entries
        try:
            self._under_way = self.database.submit(
                lambda tx: driving.record(tx, self._driven, entries)
            )
        except Unavailable:
            return  # the store is closed: the next deed is told so
        self._entries = []


def lane(path: str) -> str:
    """What a call path begins with before its index: nothing, or its branch."""
    return path[: path.rfind(".") + 1]


def _demand_driven(shape: RunShape) -> None:
    if shape.status is RunStatus.PAUSED:
        raise RunHeld("The run is paused: nothing of it begins before it is resumed.")
