"""What can be seen of a PostgreSQL from outside, without changing anything in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from engine.clock import Clock
from engine.store.migrations import HEAD, revision
from engine.store.migrations.marks import check
from engine.store.postgres_once import over

_NOW = text("SELECT clock_timestamp()")
_TAKES_NO_WRITES = text("SELECT current_setting('transaction_read_only') = 'on'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`schema` is None where there is none yet; `ahead` says how far the machine's clock is before its."""

    schema: str | None
    ahead: timedelta
    is_read_only: bool


async def look(url: str, clock: Clock) -> Look:
    """How the database at `url` is, by the machine's `clock`.

    Raises:
        Unavailable: if it cannot be reached, or its schema is not ours or too new.
    """

    def looked(connection: Connection) -> Look:
        before = clock.now()
        moment: datetime = connection.execute(_NOW).scalar_one()
        middle = before + (clock.now() - before) / 2
        found = revision(connection)
        check(connection, found, head=HEAD)
        return Look(
            schema=found,
            ahead=middle - moment.astimezone(UTC),
            is_read_only=bool(connection.execute(_TAKES_NO_WRITES).scalar_one()),
        )

    return await over(url, looked)
