"""The server's own secret: the one that was set, or one that is kept beside the database."""

import os
import stat
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from bot.setting_values import SECRET_BYTES_MIN, SHARED_WITHOUT_KEY
from bot.settings import Settings
from engine.errors import Invalid
from engine.ids import Ids

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def secret_of(settings: Settings, ids: Ids) -> bytes:
    """What every token is made from; made and kept 0600 when there is none yet.

    Of several processes that start at once, all get the same. Whoever loses the file makes every link,
    session and key worthless, and every comment unreadable, and nothing else.

    Raises:
        Invalid: `bad_secret_key`, if the file can be read by others, or does not hold a secret; or if
            none is set for a database that is shared.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    if settings.shared_url is not None:
        raise Invalid(SHARED_WITHOUT_KEY, code="bad_secret_key")
    path = secret_path(settings)
    if not path.exists():
        _make(path, ids.secret())
    problem = secret_problem(path)
    if problem is not None:
        raise Invalid(problem, code="bad_secret_key")
    return path.read_bytes().strip()


def secret_path(settings: Settings) -> Path:
    """Where the secret is kept when none is set."""
    return settings.database_path.with_name(settings.database_path.name + ".secret")


def secret_problem(path: Path) -> str | None:
    """What is wrong with the secret in `path`, and how to mend it; None when nothing is."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return f"{path} is not a plain file. Remove it, or set SIGNOFF_SECRET_KEY."
        if found.st_mode & _OTHERS:
            return f"{path} can be read by others. Run `chmod 600 {path}`."
        if len(path.read_bytes().strip()) < SECRET_BYTES_MIN:
            return f"{path} is shorter than {SECRET_BYTES_MIN} bytes. Restore it, or remove it."
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}. Give it to this user."
    return None


def _make(path: Path, secret: str) -> None:
    try:
        descriptor, name = mkstemp(dir=path.parent, prefix=f"{path.name}.")
    except OSError as error:
        raise Invalid(
            f"No secret can be kept in {path.parent}: {error.strerror}. Make that folder writable, "
            "or set SIGNOFF_SECRET_KEY.",
            code="bad_secret_key",
        ) from None
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Linking fails where the name exists: a half-written secret is never read, and a second
        # process that starts now does not replace the first one's.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()
