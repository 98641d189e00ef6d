"""What went wrong on PostgreSQL: a race that is run again, a store that is away, or a plain refusal."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError

from engine.errors import EngineError, Invalid, NotRecorded
from engine.store.causes import UNKNOWN, Cause, one_line

RACES: Final = frozenset({"40001", "40P01"})  # serialization failure and deadlock
TAKEN: Final = (
    "23505"  # somebody else's row with the same key, which the same deed sees the next time
)
# Too many connections; shut down by an operator, by a crash, or still starting.
AWAY: Final = frozenset({"53300", "57P01", "57P02", "57P03", "57P05"})
READ_ONLY: Final = "25006"
CONNECTION: Final = "08"  # the class of everything that is wrong with a connection
NO_TEXT: Final = frozenset({"22000", "22021", "22P05"})  # NUL, and half a surrogate pair
NO_SUCH_HOST: Final = "TargetServerAttributeNotMatched"  # the driver's: no primary, or none yet

AWAY_CAUSE: Final = Cause(
    code="store_away",
    what="The database cannot be reached",
    mend="look at its host, its port and its log",
    then="all goes on by itself once it answers",
)
_NO_LOGIN: Final = Cause(
    code="store_login",
    what="The database does not let this user in",
    mend="correct the user and the password in SIGNOFF_DATABASE_URL, or pg_hba.conf",
)
_RACE: Final = Cause(
    code="store_busy", what="Others were faster each time", mend="try again in a moment"
)
CAUSES: Final[Mapping[str, Cause]] = {
    READ_ONLY: Cause(
        code="store_read_only",
        what="The database is read-only",
        mend="wait for the failover, or make it writable",
        then="all goes on by itself then",
    ),
    "28000": _NO_LOGIN,
    "28P01": _NO_LOGIN,
    "3D000": Cause(
        code="no_database",
        what="There is no such database",
        mend="make it with `createdb`, or correct its name in SIGNOFF_DATABASE_URL",
    ),
    "40001": _RACE,
    "40P01": _RACE,
    "42501": Cause(
        code="store_login",
        what="This user may not do that in the database",
        mend="make it the owner of the database, or grant it what it lacks",
    ),
    "53100": Cause(
        code="store_full",
        what="The database's disk is full",
        mend="make room",
        then="all goes on by itself then",
    ),
    "53300": Cause(
        code="store_busy",
        what="The database has no connection left",
        mend="end what holds them (pg_stat_activity shows whom), or raise max_connections",
    ),
    "55P03": Cause(
        code="store_busy",
        what="Somebody else holds a lock",
        mend="try again, and ask pg_blocking_pids() who it is when it stays",
    ),
    "57014": Cause(
        code="store_busy",
        what="The database took too long",
        mend="try again, and look at pg_stat_activity for what keeps it busy when it stays",
    ),
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
    if any(type(each).__name__ == NO_SUCH_HOST for each in _causes(error)):
        return True
    state = _state(error) or ""
    return state in AWAY or state.startswith(CONNECTION)


def is_read_only(error: BaseException) -> bool:
    """Whether the server takes no writes: a standby, or one that was a primary until now."""
    return _state(error) == READ_ONLY


def refusal(error: BaseException) -> EngineError:
    """What the caller is told when nothing of the deed was kept."""
    if _state(error) in NO_TEXT:
        return Invalid(
            "A text holds a character that cannot be kept: NUL, or half a surrogate pair. Remove it.",
            code="bad_text",
        )
    return _cause(error).refusal(reason(error))


def unopened(error: BaseException, where: str) -> EngineError:
    """What whoever starts is told when the database `where` cannot be opened or migrated."""
    return _cause(error).unopened(where, reason(error))


def unsure() -> NotRecorded:
    """What the caller is told when the connection was lost between the commit and its confirmation."""
    return NotRecorded(UNSURE)


def reason(error: BaseException) -> str:
    """The database's own word on what went wrong, on one line."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if cause is None or (isinstance(cause, TimeoutError) and not str(cause)):
        return "no answer in time"
    return one_line(cause)


def _cause(error: BaseException) -> Cause:
    found = CAUSES.get(_state(error) or "")
    return found or (AWAY_CAUSE if is_away(error) else UNKNOWN)


def _causes(error: BaseException) -> list[BaseException]:
    found = list[BaseException]()
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        following = following.__cause__
    return found


def _state(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None
