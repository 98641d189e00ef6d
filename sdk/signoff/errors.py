"""The server's refusals, as one exception with a stable code."""


class SignoffError(Exception):
    """The server said no, or could not be reached.

    `code` is stable and meant for programs (`not_found`, `idempotency_conflict`, `unreachable`, …),
    `status` is the HTTP status (0 if there was no answer), the message is meant for people.
    """

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
