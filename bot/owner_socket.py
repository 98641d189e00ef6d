"""The owner's socket beside a database: where it is, and listening there so that nobody else can speak."""

import os
import socket
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from engine.errors import Unavailable
from engine.store.ownership import socket_of

PATH_BYTES_MAX: Final = 100  # what every system takes: 104 on macOS, 108 on Linux, with an end mark


def socket_path(database: Path) -> Path:
    """Where the owner of `database` listens; equal for everybody who asks.

    It is beside the database, or, where that path is too long for a socket, in a private temporary
    folder of this user.
    """
    beside = socket_of(database.absolute())
    if len(os.fsencode(beside)) <= PATH_BYTES_MAX:
        return beside
    name = sha256(os.fsencode(beside)).hexdigest()[:32]
    return Path(tempfile.gettempdir()) / f"signoff-{os.getuid()}" / f"{name}.sock"


def check_is_ours(path: Path, database: Path) -> None:
    """Return if no other user has put a socket at `path`.

    Raises:
        Unavailable: `foreign_socket`, if it, or its private folder, belongs to somebody else.
    """
    if path.is_socket() and is_foreign(path.lstat().st_uid, user=os.geteuid()):
        raise Unavailable(
            f"{path} belongs to another user, who would hear all that is said to it. Remove it.",
            code="foreign_socket",
        )
    if path.parent == database.absolute().parent:
        return
    found = path.parent.lstat()
    is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if found.st_uid != os.getuid() or not is_private:
        raise Unavailable(
            f"{path.parent} is not this user's alone. Remove it, or move the database to a "
            "folder with a shorter path.",
            code="foreign_socket",
        )


def is_foreign(owner: int, *, user: int) -> bool:
    """Whether `user` must not trust what `owner` made: root may be spoken to, and speaks to everybody."""
    return user != 0 and owner not in {0, user}


@contextmanager
def bound(database: Path) -> Generator[socket.socket]:
    """A socket of mode 0600 that is gone when the block ends; one left by a dead owner is replaced.

    Only the owner of `database` may call it.

    Raises:
        Unavailable: if there is no private place for it.
    """
    path = socket_path(database)
    if path.parent != database.absolute().parent:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    check_is_ours(path, database)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Created closed to others, not closed afterwards: in between somebody could connect.
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"The socket {path} cannot be made: {error.strerror}.", code="no_socket"
        ) from None
    finally:
        os.umask(before)
    try:
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)
