"""What takes a step back, with what its author says about how: tries, time, and whom to ask before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, final

UndoFunction = Callable[..., object]

RETRIES_MAX: Final = 100


@final
@dataclass(frozen=True, slots=True)
class Compensation:
    """An undo and its terms: `undo=Compensation(take_back, retries=8, needs="group:release")`.

    A failed attempt is tried again `retries` times (4), each may take `timeout` (5 minutes). With
    `needs`, these approvers are asked before it is done; who rejects leaves the step as it is.

    Raises:
        ValueError: for a number of retries out of bounds.
    """

    fn: UndoFunction
    retries: int | None = None
    timeout: timedelta | str | None = None
    needs: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.retries is not None and not 0 <= self.retries <= RETRIES_MAX:
            raise ValueError(f"retries is 0 to {RETRIES_MAX}.")


Undo = UndoFunction | Compensation


def undo_function(undo: Undo) -> UndoFunction:
    """The function itself."""
    return undo.fn if isinstance(undo, Compensation) else undo
