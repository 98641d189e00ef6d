"""Pages of a list, newest first: fifty at a time, also where the store cannot filter by itself."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Path, Query

PAGE: Final = 50
FETCHED: Final = PAGE + 1  # one more than is shown says whether there are more
BATCHES_MAX: Final = 8  # a rare find is looked for on the next page, instead of for ever
_QUERY_CHARS_MAX: Final = 200

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Cursor = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class Row(Protocol):
    """What a list is of."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)


def everything(_row: object) -> bool:
    """The filter that leaves nothing out."""
    return True


def fill(
    fetch: Callable[[str | None], Sequence[R]],
    *,
    before: str | None,
    keep: Callable[[R], bool] = everything,
) -> tuple[list[R], str | None]:
    """Up to `PAGE` rows that `keep` wants, and the cursor of what follows; None at the end.

    `fetch` gives up to `FETCHED` rows older than a cursor. After `BATCHES_MAX` of them the page
    ends, however few it has.
    """
    kept: list[R] = []
    for _ in range(BATCHES_MAX):
        batch = fetch(before)
        is_last = len(batch) < FETCHED
        for place, row in enumerate(batch, 1):
            before = row.id
            if keep(row):
                kept.append(row)
            if len(kept) == PAGE:
                return kept, None if is_last and place == len(batch) else before
        if is_last:
            return kept, None
    return kept, before


def after(rows: Sequence[R], cursor: str | None) -> tuple[list[R], str | None]:
    """The same of a list that is there as a whole; an unknown cursor begins anew."""
    start = next((place for place, row in enumerate(rows, 1) if row.id == cursor), 0)
    shown = list(rows[start : start + PAGE])
    return shown, shown[-1].id if start + PAGE < len(rows) else None


def asked_text(q: str) -> str:
    """What is searched for: one line, not too long, without what no text holds."""
    return " ".join(q.replace("\0", " ").split())[:_QUERY_CHARS_MAX]
