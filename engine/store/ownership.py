"""One owner per SQLite file: a lock that the operating system gives back when the owner dies."""

import errno
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import FileOwned, Unavailable


@contextmanager
def owned(path: Path) -> Generator[None]:
    """Own the database `path` until the block ends.

    Raises:
        FileOwned: when another process does; the sentence names it and the way out.
        Unavailable: `bad_lock`, if the lock is a link, or whatever else keeps it from being opened.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        # Never through a link: somebody could have us empty the file that it leads to.
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unusable(lock, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise FileOwned(
                f"Process {owner} already owns {path}. Use that one (the command line talks to it through "
                f"{socket_of(path).name}), stop it, or move to PostgreSQL to run several."
            ) from None
        with suppress(OSError):  # a full disk takes no name, and still nobody else owns it
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _unusable(lock: Path, error: OSError) -> Unavailable:
    folder = lock.absolute().parent
    match error.errno:
        case errno.ENOENT:
            return Unavailable(
                f"The folder {folder} of the database is missing. Make it: mkdir -p {folder}",
                code="no_database",
            )
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return Unavailable(
                f"{lock} cannot be written: {error.strerror}. Make {folder} and all in it writable for "
                "this user, or name a database elsewhere.",
                code="store_read_only",
            )
        case errno.ENOSPC | errno.EDQUOT:
            return Unavailable(
                f"The disk of {folder} is full. Make room, and start again.", code="store_full"
            )
        case errno.EMFILE | errno.ENFILE:
            return Unavailable(
                f"{lock} cannot be opened: {error.strerror}. Raise the limit (`ulimit -n`), and start "
                "again.",
                code="no_database",
            )
        case _:
            return Unavailable(
                f"{lock} cannot be used as a lock: {error.strerror}. Remove it, or move the database.",
                code="bad_lock",
            )


def is_owned(path: Path) -> bool:
    """Whether some process owns `path` at this moment."""
    try:
        with owned(path):
            return False
    except FileOwned:
        return True


def socket_of(path: Path) -> Path:
    """Where the owner of `path` listens for the command line; mode 0600, so only its own user may speak."""
    return path.with_name(path.name + ".sock")
