"""What went wrong on PostgreSQL: a race that is run again, a store that is away, or a plain refusal."""

from typing import Final

from sqlalchemy.exc import DBAPIError

from engine.errors import EngineError, Invalid, NotRecorded, Unavailable

RACES: Final = frozenset({"40001", "40P01"})  # serialization failure and deadlock
TAKEN: Final = (
    "23505"  # somebody else's row with the same key, which the same deed sees the next time
)
# Too many connections; shut down by an operator, by a crash, or still starting.
AWAY: Final = frozenset({"53300", "57P01", "57P02", "57P03"})
CONNECTION: Final = "08"  # the class of everything that is wrong with a connection
NO_TEXT: Final = frozenset({"22000", "22021", "22P05"})  # NUL, and half a surrogate pair
ADVICE: Final = {
    "25006": "the database is read-only at the moment: wait for the failover, or mend it",
    "53100": "the database's disk is full: make room",
}

CLOSED: Final = "The store is closed, and nothing was kept. Start Signoff again."
UNSURE: Final = (
    "Not confirmed: the database went away at that moment, and this may be recorded or not. "
    "A vote may be cast again and counts once; look before you repeat anything else."
)


def is_race(error: BaseException) -> bool:
    """Whether the same deed, done again from its beginning, can succeed at once."""
    return _state(error) in RACES


def is_taken(error: BaseException) -> bool:
    """Whether a key was taken: by somebody who was faster, or by a row that was there all along."""
    return _state(error) == TAKEN


def is_away(error: BaseException) -> bool:
    """Whether the server cannot be reached or ended the connection; it may be back in a moment."""
    if isinstance(error, OSError):  # a time-out among them
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = _state(error) or ""
    return state in AWAY or state.startswith(CONNECTION)


def refusal(error: BaseException) -> EngineError:
    """What the caller is told when nothing of the deed was kept."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = _state(error) or ""
    if state in NO_TEXT:
        return Invalid(
            "A text holds a character that cannot be kept: NUL, or half a surrogate pair. Remove it.",
            code="bad_text",
        )
    advice = ADVICE.get(state, "try again, and see `signoff doctor` when it stays")
    reason = " ".join(str(cause).split()) or type(cause).__name__
    return Unavailable(f"The store did not take this: {reason}. Nothing of it was kept; {advice}.")


def unsure() -> NotRecorded:
    """What the caller is told when the connection was lost between the commit and its confirmation."""
    return NotRecorded(UNSURE)


def _state(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None
