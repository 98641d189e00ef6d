"""How a driver leaves workflow code: not as errors, so that no handler of errors in it stops them."""

import asyncio
from typing import Final

from engine.errors import (
    EngineError,
    KillSwitchTriggered,
    LeaseLost,
    RunHeld,
    TooManyOpen,
    Unavailable,
    WorkflowChanged,
)


class Suspended(BaseException):
    """The run waits as rows; its code will run again from the top."""


class HandedBack(BaseException):
    """This process ends: the run goes on elsewhere, from where its journal stands."""


class BranchOver(BaseException):
    """Another branch has ended them all: this one goes no further."""


class HeldUp(BaseException):
    """The run may not go on for now: it is paused, or a kill switch above it is engaged."""


class RollbackOrdered(BaseException):
    """A rung of the ladder ends the run by undoing it; the code is not asked."""

    def __init__(self, approval: str, *, rule: str) -> None:
        super().__init__(rule)
        self.approval = approval


class Stopped(BaseException):
    """This driver cannot go on: its lease is lost, the store is away, or the code has changed.

    What the code did afterwards would be done by somebody who may no longer do it.
    """

    def __init__(self, cause: EngineError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Overfull(BaseException):
    """Whoever started the run has as many approvals open as one may: the run ends by that, as by a failed step.

    Its code is not asked: what it did instead would not be what it does on a replay, when there is room.
    """

    def __init__(self, cause: TooManyOpen) -> None:
        super().__init__(str(cause))
        self.cause = cause


STOPS: Final = (Suspended, RollbackOrdered, HandedBack, HeldUp, Stopped, Overfull, BranchOver)


def stop_for(error: BaseException | None) -> BaseException | None:
    """What stops the driver after a deed ended with `error`; None where its code may handle it.

    As errors they could be caught by a handler that was meant for a step's failure.
    """
    if isinstance(error, LeaseLost | Unavailable | WorkflowChanged):
        return Stopped(error)
    if isinstance(error, TooManyOpen):
        return Overfull(error)
    return HeldUp() if isinstance(error, KillSwitchTriggered | RunHeld) else None


def is_being_cancelled() -> bool:
    """Whether this task was told to stop, rather than that its own code cancelled something."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
