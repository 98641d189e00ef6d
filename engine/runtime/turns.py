"""One deed's turn of a run: a call path, and nothing else at the same time."""

from types import TracebackType
from typing import Protocol


class Turning(Protocol):
    """What gives turns."""

    async def enter(self) -> str:
        """Begin a deed; gives its call path."""
        ...

    def leave(self, error: BaseException | None) -> None:
        """The deed is over, with an error or without."""
        ...


class Turn:
    """`async with` it: inside is the deed."""

    def __init__(self, run: Turning) -> None:
        self._run = run

    async def __aenter__(self) -> str:
        return await self._run.enter()

    async def __aexit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.leave(error)
