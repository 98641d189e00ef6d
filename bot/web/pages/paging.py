"""Pages of a list: fifty at a time, and the cursor of those that follow."""

from collections.abc import Sequence
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Path, Query

PAGE: Final = 50
FETCHED: Final = PAGE + 1  # one more than is shown says whether there are more
_QUERY_CHARS_MAX: Final = 200

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Cursor = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class Row(Protocol):
    """What a list is of."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)


def cut(fetched: Sequence[R]) -> tuple[list[R], str | None]:
    """The rows to show of up to `FETCHED` ones, and the cursor of what follows; None at the end."""
    shown = list(fetched[:PAGE])
    return shown, shown[-1].id if len(fetched) > PAGE else None


def asked_text(q: str) -> str:
    """What is searched for: one line, not too long, without what no text holds."""
    return " ".join(q.replace("\0", " ").split())[:_QUERY_CHARS_MAX]
