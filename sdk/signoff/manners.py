"""How a workflow's runs behave around failures and checkpoints, as its author wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

AfterFailure = Literal["fail", "rollback", "resume"]
OnFailure = AfterFailure | Mapping[str, AfterFailure]
Checkpoints = Literal["steps", "approvals"]

ANY: Final = "*"
ROLLBACKS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Checked when it is made.

    Raises:
        ValueError: for what is not one of the words, or a number out of bounds.
    """

    max_rollbacks: int = 3
    on_failure: OnFailure = "fail"
    checkpoints: Checkpoints | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.max_rollbacks <= ROLLBACKS_MAX:
            raise ValueError(f"max_rollbacks is 0 to {ROLLBACKS_MAX}.")
        given = self.on_failure
        for word in given.values() if isinstance(given, Mapping) else (given,):
            if word not in get_args(AfterFailure):
                raise ValueError(f"on_failure is fail, rollback or resume, not {word!r}.")
        if self.checkpoints is not None and self.checkpoints not in get_args(Checkpoints):
            raise ValueError(f"checkpoints is steps or approvals, not {self.checkpoints!r}.")

    def after(self, failure: str) -> AfterFailure:
        """What becomes of a run that failed with an error of this name."""
        match self.on_failure:
            case str() as word:
                return word
            case by_name:
                return by_name.get(failure, by_name.get(ANY, "fail"))


PLAIN: Final = Manner()
