"""Deeds of one transaction side by side: what several of them ask at once is asked of the server once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from engine.store.custom import Custom
from engine.store.database import Driver, Transaction
from engine.store.footing import Kind, footing, for_many
from engine.store.postgres_driver import PostgresDriver
from engine.store.together import OnItsOwnError
from engine.store.work import Work

Values = Sequence[Any]

# What SQLAlchemy runs deeds in, too; it comes without types.
_greenlets: Any = import_module("greenlet")


class OutOfStepError(BaseException):
    """A deed wants what it may not have while others are under way; no deed catches it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement that a deed waits for. An empty one only sends what was to be sent soon."""

    text: str
    values: Values

    @property
    def keys(self) -> Iterable[str]:
        """The runs and approvals that it is about."""
        stands = footing(self.text)
        return () if stands is None else [self.values[index] for index in stands.keys]


FEW: Final = 2  # alone, a deed asks as quickly as it can by itself
NOTHING: Final = Asked("", ())


class AbreastDriver(Driver):
    """What a deed beside others has for a driver: it is stopped at each question until all have asked."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.soon: list[Asked] = []
        self.has_sent = False  # something that was written

    @property
    @override
    def dialect(self) -> Dialect:
        return self._dialect

    @override
    def rows(self, text: str, values: Values) -> Sequence[Values]:
        found: Sequence[Values] = self._ask(text, values)
        return found

    @override
    def run(self, text: str, values: Values) -> int:
        touched: int = self._ask(text, values)
        self.has_sent = True
        return touched

    @override
    def run_all(self, text: str, values: Sequence[Values]) -> None:
        stands = footing(text)
        if stands is None or stands.kind is not Kind.ADD:
            raise OutOfStepError
        for each in values:
            self.run_soon(text, each, table=stands.table, is_new=True)

    @override
    def run_soon(self, text: str, values: Values, *, table: str, is_new: bool) -> None:
        if footing(text) is None:
            raise OutOfStepError
        # What is sent together does not see each other: changes go behind what was written before.
        if any(_writes(each) == table and not (is_new and _adds(each)) for each in self.soon):
            self._switch(NOTHING)
        self.soon.append(Asked(text, values))

    @override
    def settle(self) -> None:
        raise OutOfStepError  # for what comes next does not come by here

    @override
    def forget(self) -> None:
        self.soon.clear()

    def _ask(self, text: str, values: Values) -> Any:
        if footing(text) is None:
            raise OutOfStepError
        return self._switch(Asked(text, values))

    def _switch(self, asked: Asked) -> Any:
        conductor = _greenlets.getcurrent().parent
        if conductor is None:
            raise OutOfStepError
        return conductor.switch(asked)


class Deed:
    """One deed on its way, in a greenlet of its own."""

    def __init__(self, work: Work[Any], tx: Transaction, driver: AbreastDriver) -> None:
        self.work, self.tx, self.driver = work, tx, driver
        self.asked = NOTHING
        self.is_out_of_step = False
        self._refusal: Exception | None = None
        self._greenlet = _greenlets.greenlet(self._do)
        self._greenlet.gr_context = _greenlets.getcurrent().gr_context

    @property
    def is_over(self) -> bool:
        """Whether it asks for nothing more, and all that it wrote is sent."""
        return self._greenlet.dead and not self.driver.soon

    def go_on(self, answer: Any = None) -> None:
        """Let it come to its next question, or its end.

        Raises:
            OnItsOwnError: if what it wrote has to be undone.
        """
        if self._greenlet.dead:
            return
        asked = self._greenlet.switch(answer)
        self.asked = asked if isinstance(asked, Asked) else NOTHING
        if self.is_out_of_step and self.driver.has_sent:
            raise OnItsOwnError
        if self._refusal is not None:
            if self.tx.may_have_written:
                raise OnItsOwnError from self._refusal
            self.work.fail(self._refusal)

    def stop(self) -> None:
        """End it where it is."""
        if not self._greenlet.dead:
            self._greenlet.throw(_greenlets.GreenletExit)

    def _do(self, _nothing: object) -> None:
        try:
            self.work.run(self.tx)
        except OutOfStepError:
            self.is_out_of_step = True
            self.driver.forget()
        except Exception as error:  # border: whatever a deed raises belongs to its caller alone
            self._refusal = error
            self.driver.forget()


@dataclass(slots=True)
class Abreast:
    """Runs deeds in step on one connection, each as if it alone had the rows that it is about.

    A run or approval is one deed's, from its first statement about it, until that deed has ended;
    who wants it too waits, as for a lock. What else they read, none of them writes (`engine.store.footing`).
    """

    driver: PostgresDriver
    made: Callable[[Driver], Transaction]
    custom: Custom
    _owners: dict[str, Deed] = field(default_factory=dict[str, Deed])

    async def run(self, batch: Sequence[Work[Any]]) -> list[Work[Any]]:
        """Do what of `batch` can be done so; gives the others, which wrote nothing, in their order.

        Raises:
            OnItsOwnError: when nothing of them may be kept.
        """
        fit = [work for work in batch if self.custom.is_fit(work)]
        if len(fit) < FEW:
            return list(batch)
        deeds = [self._begun(work) for work in fit]
        try:
            for deed in deeds:
                deed.go_on()
            while under_way := [deed for deed in deeds if not deed.is_over]:
                await self._answer([deed for deed in under_way if self._may(deed)])
                self._free()
        except DBAPIError as error:
            raise OnItsOwnError from error
        finally:
            for deed in deeds:
                deed.stop()
                self.custom.learn(deed.work, is_fit=not deed.is_out_of_step)
        done = {id(deed.work) for deed in deeds if not deed.is_out_of_step}
        return [work for work in batch if id(work) not in done]

    def _begun(self, work: Work[Any]) -> Deed:
        driver = AbreastDriver(self.driver.dialect)
        return Deed(work, self.made(driver), driver)

    def _may(self, deed: Deed) -> bool:
        keys = {key for each in (*deed.driver.soon, deed.asked) for key in each.keys}
        if any(self._owners.get(key, deed) is not deed for key in keys):
            return False
        self._owners.update(dict.fromkeys(keys, deed))
        return True

    def _free(self) -> None:
        self._owners = {key: deed for key, deed in self._owners.items() if not deed.is_over}

    async def _answer(self, deeds: Sequence[Deed]) -> None:
        if not deeds:
            raise OnItsOwnError  # each waits for another
        await self._send_what_was_to_be_sent(deeds)
        lots: dict[str, list[Deed]] = {}
        for deed in deeds:
            lots.setdefault(deed.asked.text, []).append(deed)
        for text, lot in lots.items():
            answers = await self._asked(text, [deed.asked.values for deed in lot]) if text else None
            for index, deed in enumerate(lot):
                deed.go_on(None if answers is None else answers[index])

    async def _send_what_was_to_be_sent(self, deeds: Sequence[Deed]) -> None:
        lots: dict[str, list[Values]] = {}
        for deed in deeds:
            for each in deed.driver.soon:
                lots.setdefault(each.text, []).append(each.values)
            deed.driver.has_sent = deed.driver.has_sent or bool(deed.driver.soon)
            deed.driver.soon.clear()
        for text in sorted(lots, key=_turn):
            await self._asked(text, lots[text])

    async def _asked(self, text: str, sets: Sequence[Values]) -> Sequence[Any]:
        """What the statement gives for each of `sets`: its rows, or how many rows it touched."""
        stands = footing(text)
        is_read = stands is not None and stands.kind in {Kind.READ, Kind.LOCK}
        if not sets[0]:
            return [await self.driver.found(text, ())] * len(sets)
        distinct = list(dict.fromkeys(map(tuple, sets))) if is_read else sets
        many = for_many(text, await self.driver.types(text)) if len(distinct) > 1 else None
        if many is None:
            ask = self.driver.found if is_read else self.driver.touched
            answers: list[Any] = [await ask(text, values) for values in distinct]
        else:
            rows = await self.driver.found(
                many, [list(column) for column in zip(*distinct, strict=True)]
            )
            answers = _parted(rows, len(distinct)) if is_read else _counted(rows, len(distinct))
        if not is_read:
            return answers
        given = dict(zip(distinct, answers, strict=True))
        return [given[tuple(values)] for values in sets]


def _parted(rows: Sequence[Values], count: int) -> list[Any]:
    lots: list[list[Values]] = [[] for _ in range(count)]
    for row in rows:
        number, *values = row
        lots[number - 1].append(values)
    return lots


def _counted(rows: Sequence[Values], count: int) -> list[Any]:
    touched = [0] * count
    for row in rows:
        touched[row[0] - 1] += 1
    return touched


def _writes(asked: Asked) -> str:
    stands = footing(asked.text)
    return "" if stands is None else stands.table


def _adds(asked: Asked) -> bool:
    stands = footing(asked.text)
    return stands is not None and stands.kind is Kind.ADD


# Rows come behind those that they refer to, and changes behind rows.
_ORDER: Final = ("runs", "journal", "approvals", "versions", "votes", "timers", "links", "messages")


def _turn(text: str) -> tuple[bool, int]:
    stands = footing(text)
    if stands is None or stands.table not in _ORDER:
        return (True, len(_ORDER))
    return (stands.kind is not Kind.ADD, _ORDER.index(stands.table))
