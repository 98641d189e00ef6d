"""How a driver leaves workflow code: not as errors, so that no handler of errors in it stops them."""


class Suspended(BaseException):
    """The run waits as rows; its code will run again from the top."""


class RollbackOrdered(BaseException):
    """A rung of the ladder ends the run by undoing it; the code is not asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
