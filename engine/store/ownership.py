"""One owner per SQLite file: a lock that the operating system gives back when the owner dies."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import FileOwned, Unavailable


@contextmanager
def owned(path: Path) -> Generator[None]:
    """Own the database `path` until the block ends.

    Raises:
        FileOwned: when another process does; the sentence names it and the way out.
        Unavailable: `bad_lock`, if the lock is a link, or not ours to open.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        # Never through a link: somebody could have us empty the file that it leads to.
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unavailable(
            f"{lock} cannot be used as a lock: {error.strerror}. Remove it, or move the database.",
            code="bad_lock",
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise FileOwned(
                f"Process {owner} already owns {path}. Use that one (the command line talks to it through "
                f"{socket_of(path).name}), stop it, or move to PostgreSQL to run several."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


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
