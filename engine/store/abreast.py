"""Deeds of one transaction side by side: what several of them ask at once is asked of the server once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from engine.store.custom import Custom
from engine.store.database import Driver, Transaction
from engine.store.footing import Asked, Kind, footing
from engine.store.postgres_driver import PostgresDriver
from engine.store.together import OnItsOwnError
from engine.store.work import Work

Values = Sequence[Any]

# What SQLAlchemy runs deeds in, too; it comes without types.
_greenlets: Any = import_module("greenlet")


class OutOfStepError(BaseException):
    """A deed wants what it may not have while others are under way; no deed catches it."""


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
            self.run_soon(text, each, table="", is_new=True)

    @override
    def run_soon(self, text: str, values: Values, *, table: str, is_new: bool) -> None:
        if footing(text) is None:
            raise OutOfStepError
        asked = Asked(text, values)
        if any(asked.heeds(each) for each in self.soon):
            self._switch(NOTHING)
        self.soon.append(asked)

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
            lot.sort(key=lambda deed: deed.asked.keys)  # rows are locked in one order
            answers = await self._asked(text, [deed.asked.values for deed in lot]) if text else None
            for index, deed in enumerate(lot):
                deed.go_on(None if answers is None else answers[index])

    async def _send_what_was_to_be_sent(self, deeds: Sequence[Deed]) -> None:
        writing = [
            deed for deed in deeds if any(deed.asked.heeds(each) for each in deed.driver.soon)
        ]
        soon = [each for deed in writing for each in deed.driver.soon]
        for deed in writing:
            deed.driver.soon.clear()
            deed.driver.has_sent = True
        if soon:
            await (self.driver.send(soon) if len(writing) == 1 else self.driver.send_many(soon))

    async def _asked(self, text: str, sets: Sequence[Values]) -> Sequence[Any]:
        """What the statement gives for each of `sets`."""
        stands = footing(text)
        if not sets[0]:
            return [await self.driver.found(text, ())] * len(sets)
        if stands is None or stands.kind is not Kind.READ:
            return await self.driver.at_once(text, sets)
        distinct = list(dict.fromkeys(map(tuple, sets)))
        answers = await self.driver.at_once(text, distinct)
        given = dict(zip(distinct, answers, strict=True))
        return [given[tuple(values)] for values in sets]
