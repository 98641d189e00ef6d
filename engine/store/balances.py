"""Whether the budgets and kill switches of a tenant are as stored what all of its chains make of them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from engine.ids import TenantId
from engine.rules.accounts import Accounts, Key
from engine.rules.chaining import AUDIT, Damage, Finding, Line
from engine.rules.wording import is_table
from engine.store.database import Transaction
from engine.store.tables import runs, switches, usages

_ENGAGED: Final = "kill_switch.engaged"
_RELEASED: Final = "kill_switch.released"
_USAGES: Final = (usages.c.budget, usages.c.period, usages.c.unit)


@dataclass(slots=True)
class Balances:
    """The sums over a tenant's chains, while somebody walks them.

    Runs go on meanwhile. What is spent or granted never becomes less, so the sums must lie between what
    was stored before the walk and what is stored after it. All else is compared at one moment.
    """

    tenant: TenantId
    _before: dict[Key, tuple[int, int]] = field(default_factory=dict[Key, tuple[int, int]])
    _spent: dict[Key, int] = field(default_factory=dict[Key, int])
    _granted: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    _engaged: set[str] = field(default_factory=set[str])

    def begin(self, tx: Transaction) -> None:
        """Remember what is stored before the first chain is read."""
        self._before = self._stored(tx)

    def add(self, accounts: Accounts) -> None:
        """Add what one run's journal says."""
        for key, amount in accounts.spent.items():
            self._spent[key] = self._spent.get(key, 0) + amount
        for which, amount in accounts.granted.items():
            self._granted[which] = self._granted.get(which, 0) + amount

    def take(self, line: Line) -> None:
        """Add what one line of the audit chain says."""
        said = switched(line)
        if said is not None:
            self._switch(said[0], is_on=said[1])

    def recall(self, totals: Any) -> None:
        """Add what the signed summary of a pruned chain says of it."""
        if is_table(totals):
            with suppress(TypeError, ValueError):  # one that nobody signed may say anything
                self._recall(totals)

    def _recall(self, said: Mapping[Any, Any]) -> None:
        for budget, period, unit, amount in said.get("spent", ()):
            key = (str(budget), str(period), str(unit))
            self._spent[key] = self._spent.get(key, 0) + int(amount)
        for budget, unit, amount in said.get("granted", ()):
            which = (str(budget), str(unit))
            self._granted[which] = self._granted.get(which, 0) + int(amount)
        for scope, is_on in said.get("switched", ()):
            self._switch(str(scope), is_on=bool(is_on))

    def _switch(self, scope: str, *, is_on: bool) -> None:
        if is_on:
            self._engaged.add(scope)
        else:
            self._engaged.discard(scope)

    def end(self, tx: Transaction) -> Iterator[Finding]:
        """What is stored otherwise; call it in the reading in which the audit's last line was read."""
        after = self._stored(tx)
        for key in sorted(after.keys() | self._spent.keys()):
            low, high = self._before.get(key, (0, 0))[0], after.get(key, (0, 0))[0]
            if not low <= self._spent.get(key, 0) <= high:
                yield _of_budget(key, f"spent {high}, and the journals {self._spent.get(key, 0)}")
        yield from self._grants(after)
        kept = self._kept_back(tx)
        for key, reserved in self._reserved(tx).items():
            if reserved != kept.pop(key, 0):
                yield _of_budget(key, f"kept back {reserved}, which is not what its runs hold")
        for key in sorted(kept):
            yield _of_budget(key, "kept nothing back, and its runs hold something")
        yield from self._switches(tx)

    def _grants(self, after: Mapping[Key, tuple[int, int]]) -> Iterator[Finding]:
        low, high = _by_unit(self._before), _by_unit(after)
        for which in sorted(high.keys() | self._granted.keys()):
            said = self._granted.get(which, 0)
            if not low.get(which, 0) <= said <= high.get(which, 0):
                key = (which[0], "all periods", which[1])
                yield _of_budget(key, f"was granted {high.get(which, 0)}, and by journals {said}")

    def _switches(self, tx: Transaction) -> Iterator[Finding]:
        rows = tx.connection.execute(
            select(switches.c.scope).where(switches.c.tenant == self.tenant)
        )
        for scope in sorted({str(row.scope) for row in rows} ^ self._engaged):
            is_stored = scope not in self._engaged
            says = "is stored, and was engaged by nobody" if is_stored else "is not there any more"
            yield _found(AUDIT, f"The kill switch for {scope} {says}.")

    def _stored(self, tx: Transaction) -> dict[Key, tuple[int, int]]:
        query = select(*_USAGES, usages.c.spent, usages.c.granted)
        rows = tx.connection.execute(query.where(usages.c.tenant == self.tenant))
        return {(row.budget, row.period, row.unit): (row.spent, row.granted) for row in rows}

    def _reserved(self, tx: Transaction) -> dict[Key, int]:
        query = select(*_USAGES, usages.c.reserved).where(usages.c.tenant == self.tenant)
        rows = tx.connection.execute(query)
        return {(row.budget, row.period, row.unit): row.reserved for row in rows}

    def _kept_back(self, tx: Transaction) -> dict[Key, int]:
        """What runs hold at this moment; few hold anything."""
        query = select(runs.c.reserved).where(
            runs.c.tenant == self.tenant, runs.c.reserved.is_not(None)
        )
        found: dict[Key, int] = {}
        for (text,) in tx.connection.execute(query):
            for held in json.loads(text).values():
                for budget, period, unit, reserved, _asked in held["charges"]:
                    key = (budget, period, unit)
                    found[key] = found.get(key, 0) + reserved
        return {key: amount for key, amount in found.items() if amount}


def switched(line: Line) -> tuple[str, bool] | None:
    """The scope whose kill switch an entry of the audit engaged, or released; None for all others."""
    if line.kind not in {_ENGAGED, _RELEASED}:
        return None
    try:
        return str(json.loads(line.data)["scope"]), line.kind == _ENGAGED
    except (ValueError, KeyError, TypeError):
        return None  # the chain's own check tells of it


def _by_unit(stored: Mapping[Key, tuple[int, int]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for (budget, _period, unit), (_spent, granted) in stored.items():
        found[budget, unit] = found.get((budget, unit), 0) + granted
    return found


def _of_budget(key: Key, says: str) -> Finding:
    budget, period, unit = key
    return _found(budget, f"The budget {budget} in {period} has, in {unit}, {says}.")


def _found(chain: str, says: str) -> Finding:
    return Finding(damage=Damage.STATE, chain=chain, position=None, says=says)
