"""What takes a step back, with what its author says about how: tries, time, and whom to ask before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, final

UndoFunction = Callable[..., object]

RETRIES_MAX: Final = 100
REQUEST_NAME: Final = "signoff.http:request"  # what stands for an HTTP request in journals


@final
@dataclass(frozen=True, slots=True)
class HttpUndo:
    """An undo that is a request: `undo=HttpUndo("DELETE", "https://bank.example.com/transfers/{id}")`.

    It is sent as `run.http` sends, with a request id of its own as `Idempotency-Key`. `{name}` in `url`
    and in the texts of `json` is that field of what the step returned; of an HTTP step, of its JSON
    body. All of it is journaled: in `headers` write secrets as `${secret.NAME}`.

    Raises:
        ValueError: without a method or a URL.
    """

    method: str
    url: str
    json: object = None
    headers: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.method or not self.url:
            raise ValueError("An HttpUndo has a method and a URL.")

    def to_json(self) -> dict[str, object]:
        """The request as journaled."""
        said = {"method": self.method, "url": self.url, "json": self.json}
        given = None if self.headers is None else dict(self.headers)
        return {
            name: value for name, value in {**said, "headers": given}.items() if value is not None
        }


@final
@dataclass(frozen=True, slots=True)
class Compensation:
    """An undo and its terms: `undo=Compensation(take_back, retries=8, needs="group:release")`.

    A failed attempt is tried again `retries` times (4), each may take `timeout` (5 minutes). With
    `needs`, these approvers are asked before it is done; who rejects leaves the step as it is. An
    `irreversible` one is dispatched at most once: unless a failure certainly did nothing, operators say
    what becomes of it. `kind` is a word of your own, by which a rollback may undo some and leave others.

    Raises:
        ValueError: for a number of retries out of bounds, or a kind that is empty.
    """

    fn: UndoFunction | HttpUndo
    retries: int | None = None
    timeout: timedelta | str | None = None
    needs: str | Sequence[str] | None = None
    irreversible: bool = False
    kind: str | None = None

    def __post_init__(self) -> None:
        if self.retries is not None and not 0 <= self.retries <= RETRIES_MAX:
            raise ValueError(f"retries is 0 to {RETRIES_MAX}.")
        if self.kind is not None and not self.kind.strip():
            raise ValueError("kind is a word, such as 'booking'.")


Undo = UndoFunction | HttpUndo | Compensation


def undo_function(undo: Undo) -> UndoFunction | HttpUndo:
    """The function itself, or the request."""
    return undo.fn if isinstance(undo, Compensation) else undo
