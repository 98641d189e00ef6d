"""How a driver leaves workflow code: not as errors, so that no handler of errors in it stops them."""

import asyncio

from engine.errors import EngineError


class Suspended(BaseException):
    """The run waits as rows; its code will run again from the top."""


class HandedBack(BaseException):
    """This process ends: the run goes on elsewhere, from where its journal stands."""


class BranchOver(BaseException):
    """Another branch has ended them all: this one goes no further."""


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


def is_being_cancelled() -> bool:
    """Whether this task was told to stop, rather than that its own code cancelled something."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
