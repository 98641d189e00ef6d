"""A database of dictionaries: a deed is whole or nothing, and its answer may be lost behind the commit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, Generic, TypeVar

from bot.chaos.simulation.laws import Laws
from bot.chaos.simulation.rows import (
    ApprovalRow,
    DeliveryRow,
    ReceiptRow,
    RunRow,
    TimerRow,
    VoteRow,
)
from engine.errors import EngineError
from engine.rules.budget import Account
from engine.store.new_entry import Entry

R = TypeVar("R")
T = TypeVar("T")

BEGINNING: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Fate(StrEnum):
    """What becomes of a commit."""

    KEPT = "kept"
    LOST = "lost"
    UNANSWERED = "kept, and its answer lost"


class NotAnswered(Exception):
    """Whoever waited for a commit does not know what became of it."""


class Table(Generic[R]):
    """Rows by key, in the order in which they came."""

    def __init__(self, changes: list[Callable[[], object]]) -> None:
        self._rows: dict[str, R] = {}
        self._changes = changes

    def __getitem__(self, key: str) -> R:
        return self._rows[key]

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def get(self, key: str) -> R | None:
        """The row, if it is there."""
        return self._rows.get(key)

    def put(self, key: str, row: R) -> None:
        """Add it, or put it in the place of the one that is there."""
        if key in self._rows:
            self._changes.append(partial(self._rows.__setitem__, key, self._rows[key]))
        else:
            self._changes.append(partial(self._rows.pop, key))
        self._rows[key] = row


class Memory:
    """The rows of all tables, and the only clock that decides anything."""

    def __init__(self, laws: Laws, *, budget: int) -> None:
        self.laws, self.now = laws, BEGINNING
        self._changes: list[Callable[[], object]] = []
        self.runs: Table[RunRow] = Table(self._changes)
        self.journals: Table[tuple[Entry, ...]] = Table(self._changes)
        self.approvals: Table[ApprovalRow] = Table(self._changes)
        self.votes: Table[tuple[VoteRow, ...]] = Table(self._changes)
        self.timers: Table[TimerRow] = Table(self._changes)
        self.deliveries: Table[DeliveryRow] = Table(self._changes)
        self.receipts: Table[ReceiptRow] = Table(self._changes)
        self.accounts: Table[Account] = Table(self._changes)
        self.switches: Table[bool] = Table(self._changes)
        self._made = 0
        self.accounts.put("tenant", Account(limit=budget))
        self._changes.clear()
        self.after_commit: list[Callable[[], None]] = []

    def new(self, prefix: str) -> str:
        """A name that was never given."""
        self._made += 1
        return f"{prefix}_{self._made}"

    def write(self, deed: Callable[["Memory"], T], fate: Fate = Fate.KEPT) -> T:
        """Do the deed in a transaction of its own.

        Raises:
            NotAnswered: if its commit or its answer was lost. EngineError: as the deed refuses.
        """
        (answer,) = self.write_together([deed], fate)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    def write_together(
        self, deeds: Sequence[Callable[["Memory"], T]], fate: Fate = Fate.KEPT
    ) -> list[T | EngineError]:
        """Do the deeds one after the other and commit them together; who is refused leaves nothing."""
        answers: list[T | EngineError] = []
        for deed in deeds:
            savepoint = len(self._changes)
            try:
                answers.append(deed(self))
            except EngineError as refusal:
                self._take_back(savepoint)
                answers.append(refusal)
        if fate is Fate.LOST:
            self._take_back(0)
        afterwards, self.after_commit = self.after_commit, []
        for each in afterwards:
            each()
        self._changes.clear()
        if fate is not Fate.KEPT:
            raise NotAnswered
        return answers

    def change_run(self, run: str, **changes: Any) -> RunRow:
        """Replace some columns of a run's row."""
        after = replace(self.runs[run], **changes)
        self.runs.put(run, after)
        return after

    def _take_back(self, savepoint: int) -> None:
        while len(self._changes) > savepoint:
            self._changes.pop()()
