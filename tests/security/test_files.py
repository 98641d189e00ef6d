"""What another user of the machine may have put beside the database is not followed."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.owner_socket import check_is_ours
from engine.errors import Unavailable
from engine.store.ownership import owned

NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")


def test_a_lock_that_is_a_link_empties_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "signoff.db.lock").symlink_to(precious)

    with pytest.raises(Unavailable) as refused, owned(tmp_path / "signoff.db"):
        pass

    assert refused.value.code == "bad_lock"
    assert precious.read_text() == "kept"


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to others."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


@AS_ROOT
def test_a_socket_of_another_user_is_not_spoken_to(shared_folder: Path) -> None:
    database, path = shared_folder / "signoff.db", shared_folder / "signoff.db.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        os.chown(path, NOBODY, NOBODY)

        code = _told_to(1234, path, database)

    assert code == "foreign_socket"


@AS_ROOT
def test_ones_own_socket_is_spoken_to(shared_folder: Path) -> None:
    database, path = shared_folder / "signoff.db", shared_folder / "signoff.db.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        os.chown(path, 1234, 1234)

        assert _told_to(1234, path, database) is None


def _told_to(user: int, path: Path, database: Path) -> str | None:
    os.seteuid(user)
    try:
        check_is_ours(path, database)
    except Unavailable as refused:
        return refused.code
    finally:
        os.seteuid(0)
    return None
