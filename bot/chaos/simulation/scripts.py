"""What the simulated runs do: steps with and without an undo, an approval, and a step behind it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a script; its place is its call path.

    `ask` is an approval for `amount`, and the step that is `approved` uses that decision. `calls` is
    the amount that is really called with, where it is another one.
    """

    name: str
    kind: str = "step"  # step, ask, sleep
    has_undo: bool = False
    irreversible: bool = False
    approved: bool = False
    cost: int = 0
    calls: int | None = None
    kills: bool = False  # the process that does it dies
    probes: bool = True
    undo_fails: int = 0


AMOUNT: Final = 100
_BOOK: Final = Step(name="book", has_undo=True, cost=2)
_CHARGE: Final = Step(name="charge", has_undo=True, cost=3)
_ASK: Final = Step(name="ask", kind="ask")
_SLEEP: Final = Step(name="sleep", kind="sleep")
_SHIP: Final = Step(name="ship", approved=True, irreversible=True, cost=1)

SCRIPTS: Final[dict[str, tuple[Step, ...]]] = {
    "plain": (_BOOK, _CHARGE, _ASK, _SHIP),
    "asleep": (_BOOK, _SLEEP, _ASK, _SHIP),
    "reversible": (_CHARGE, _ASK, Step(name="ship", approved=True, has_undo=True, cost=4)),
    "unclear": (
        Step(name="wire", irreversible=True, probes=False, cost=1),
        _BOOK,
        _ASK,
        Step(name="ship", approved=True, irreversible=True, probes=False),
    ),
    "greedy": (_BOOK, _ASK, _SHIP, Step(name="ship_again", approved=True, has_undo=True)),
    "swapped": (_BOOK, _ASK, Step(name="ship", approved=True, has_undo=True, calls=900)),
    "stubborn": (Step(name="book", has_undo=True, undo_fails=5), _CHARGE, _ASK, _SHIP),
    "poisoned": (_BOOK, Step(name="poison", kills=True), _ASK, _SHIP),
    "twice": (_BOOK, _ASK, _SHIP, Step(name="ask_again", kind="ask"), _CHARGE),
}
