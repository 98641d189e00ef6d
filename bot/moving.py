"""Moves this folder's database to PostgreSQL, or takes that back, as the command line asks for it."""

from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from bot.secret_key import secret_path
from bot.setting_values import database_url
from bot.settings import Settings
from engine.errors import Invalid, Refused
from engine.ids import SystemIds
from engine.store import moving
from engine.store.moving import Moved
from engine.store.postgres import Surroundings
from engine.store.postgres_url import is_postgres, shown_url
from engine.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was moved, from where to where, and which settings belong to it from now on."""

    moved: Moved
    source: str
    target: str
    secret: str


async def move(settings: Settings, to: str) -> Told:
    """Move the file of `settings` to the PostgreSQL at `to`.

    Raises:
        Invalid: `unknown_database`, if `to` names no PostgreSQL. Refused: `same_database`, or
            `not_a_file`, if the settings name a PostgreSQL already; and all that `moving.move` raises.
    """
    url = _target(to)
    if settings.shared_url is not None:
        if shown_url(settings.shared_url) == shown_url(url):
            raise Refused("SIGNOFF_DATABASE_URL names that database already.", code="same_database")
        raise Refused(
            "SIGNOFF_DATABASE_URL names a PostgreSQL, and only a SQLite file is moved. Between two "
            "of them pg_dump and pg_restore move everything.",
            code="not_a_file",
        )
    path = settings.database_path
    # Nothing of what is moved is made from the secret again: hashes are copied as they are.
    around = Surroundings(ids=SystemIds(), tokens=Tokens(b""))
    moved = await moving.move(path, url, around)
    return Told(moved=moved, source=str(path), target=shown_url(url), secret=_secret(settings))


def _target(to: str) -> str:
    try:
        url = database_url(to)
    except PydanticCustomError as refused:
        raise Invalid(f"--to {refused.message()}", code="unknown_database") from None
    if not is_postgres(url):
        raise Invalid(
            "--to names a SQLite file. `signoff backup` copies one; a move goes to PostgreSQL.",
            code="unknown_database",
        )
    return url


def _secret(settings: Settings) -> str:
    if settings.secret_key is not None:
        return "SIGNOFF_SECRET_KEY as it is now"
    return f"SIGNOFF_SECRET_KEY to the line in {secret_path(settings)}"
