"""What there is to say of the server's secrets before a start: whether they are there, and are the right ones."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from bot.findings import Finding, Level, error, ok, warning
from bot.secret_key import secret_path, secret_problem
from bot.settings import Settings
from engine.errors import Unavailable
from engine.store import secret
from engine.store.postgres_once import over
from engine.store.secret import Known
from engine.store.sqlite_look import secret_of_file
from engine.tokens import Tokens


def secret_findings(settings: Settings) -> Iterator[Finding]:
    """What was found; nothing is made, and nothing written."""
    if settings.secret_key is not None:
        yield ok("SIGNOFF_SECRET_KEY is set.")
        first: bytes | None = settings.secret_key.get_secret_value().encode()
    elif settings.shared_url is not None:
        return  # told with the settings
    else:
        path = secret_path(settings)
        yield (found := _kept(path))
        first = path.read_bytes().strip() if path.exists() and found.level is Level.OK else None
    if first is None:
        return
    older = tuple(each.get_secret_value().encode() for each in settings.secret_key_previous)
    if older:
        yield ok(
            f"What {len(older)} older secret{'s' if len(older) > 1 else ''} made still holds.",
            "`signoff secret status` says whether anything needs that.",
        )
    yield from _compared(_known(settings), Tokens(first, older=older))


def _kept(path: Path) -> Finding:
    if not path.exists():
        return ok(f"A secret key will be made and kept in {path}.")
    problem = secret_problem(path)
    if problem is not None:
        return error(problem)
    return ok(f"The secret key is kept in {path}. Back it up with the database.")


def _compared(known: Known | None, tokens: Tokens) -> Iterator[Finding]:
    if known is None or known.fingerprint in tokens.fingerprints:
        return
    if tokens.older:
        yield error(
            "SIGNOFF_SECRET_KEY_PREVIOUS does not hold the secret that this database was last used with.",
            "Add that one. If it is lost, remove the setting.",
        )
    else:
        yield warning(
            "The secret is not the one that this database was last used with: links, sessions and API "
            "keys of before are worthless, and comments cannot be read.",
            "Put the one before into SIGNOFF_SECRET_KEY_PREVIOUS, unless you mean that.",
        )


def _known(settings: Settings) -> Known | None:
    try:
        if settings.shared_url is not None:
            return asyncio.run(over(settings.shared_url, secret.known_if_made))
        path = settings.database_path
        return secret_of_file(path) if path.is_file() else None
    except Unavailable:
        return None  # told with the database
