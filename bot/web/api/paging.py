"""Pages of lists: at most so many, and a cursor that leads to those that follow."""

from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Path, Query

T = TypeVar("T")

LIMIT_MAX: Final = 200

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many there may be on the page.")]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[a-z]{3}_[A-Za-z0-9]{1,64}$", description="`next` of the page before."),
]
Position = Annotated[
    str | None, Query(pattern=r"^[0-9]{1,12}$", description="`next` of the page before.")
]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


def cut(found: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """The page, and its last line if there is more: ask the store for one more than `limit`."""
    page = found[:limit]
    return page, page[-1] if len(found) > limit else None
