"""What a journal says of budgets: what is kept back for its steps, what was spent, and what was granted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.rules import costs
from engine.rules.costs import IMPLICIT, Amounts

RESERVED: Final = "budget.reserved"
BEGUN: Final = "step.begun"
WITHHELD: Final = "withheld"  # where a step's beginning says what `RESERVED` says by itself
SETTLED: Final = "budget.settled"  # by whoever ended the run inside the step
RAISED: Final = "budget.raised"
SETTLING: Final = frozenset({"step.finished", "step.failed"})
TOLD_IN: Final = frozenset({RESERVED, BEGUN, SETTLED, RAISED, *SETTLING})

Key = tuple[str, str, str]  # budget, period, unit
Charge = tuple[str, str, str, int, int]  # of those three so much is kept back, and was asked for
Held = dict[str, dict[str, Any]]  # by call path: the cost that was asked, and where it is kept back


def kept_back(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What an entry of `kind` says is kept back for a step; None where it is about something else."""
    if kind == BEGUN:
        return data.get(WITHHELD)
    return data if kind == RESERVED else None


def settled(charges: Sequence[Charge], cost: Amounts) -> list[tuple[Key, int, int]]:
    """What a step's end means for each of its `charges`: what is let go of, and what counts as spent.

    A unit that every step takes counts as it was asked for, where its end does not say.
    """
    return [
        ((budget, period, unit), reserved, cost.get(unit, asked if unit in IMPLICIT else 0))
        for budget, period, unit, reserved, asked in charges
    ]


_WORDS: Final = f'"{WITHHELD}":'


class Accounts:
    """The budgets of one run as its journal has them, entry by entry."""

    __slots__ = ("granted", "held", "spent")

    def __init__(self) -> None:
        self.held: Held = {}
        self.spent: dict[Key, int] = {}
        self.granted: dict[tuple[str, str], int] = {}

    @property
    def is_anything(self) -> bool:
        """Whether anything was spent or granted."""
        return bool(self.spent or self.granted)

    def is_concerned(self, kind: str, text: str) -> bool:
        """Whether an entry of `kind`, whose data are `text`, may change anything here."""
        if kind == BEGUN:
            return _WORDS in text
        return kind in TOLD_IN and (kind not in SETTLING or bool(self.held) or '"cost":' in text)

    def take(self, kind: str, path: str | None, data: Mapping[str, Any]) -> None:
        """Go on by one entry.

        Raises:
            KeyError, TypeError, ValueError, BadRule: if it is none that anybody writes.
        """
        match kind:
            case "budget.reserved" | "step.begun":
                kept = kept_back(kind, data)
                if kept is not None:
                    said = {"cost": kept.get("cost", {}), "charges": kept["charges"]}
                    self.held[str(path)] = said
            case "budget.settled":
                kept = self.held.pop(str(path))
                for budget, period, unit, _reserved, asked in kept["charges"]:
                    self._count((budget, period, unit), asked)
            case "budget.raised":
                for unit, more in costs.parse_amounts(data["more"]).items():
                    key = (str(data["budget"]), unit)
                    self.granted[key] = self.granted.get(key, 0) + more
            case _:
                self._settle(str(path), data)

    def _settle(self, path: str, data: Mapping[str, Any]) -> None:
        for budget, period, unit, amount in data.get("charged", ()):
            self._count((budget, period, unit), amount)
        kept = self.held.pop(path, None)
        if kept is None:
            return
        cost = costs.parse_amounts(data.get("cost") or {})
        for key, _reserved, spent in settled(kept["charges"], cost):
            self._count(key, spent)

    def _count(self, key: Key, amount: int) -> None:
        self.spent[key] = self.spent.get(key, 0) + amount
