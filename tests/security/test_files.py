"""What another user of the machine may have put beside the database is not followed."""

import socket
from pathlib import Path

import pytest

from bot.owner_socket import check_is_ours, is_foreign
from engine.errors import Unavailable
from engine.store.ownership import owned


def test_a_lock_that_is_a_link_empties_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "signoff.db.lock").symlink_to(precious)

    with pytest.raises(Unavailable) as refused, owned(tmp_path / "signoff.db"):
        pass

    assert refused.value.code == "bad_lock"
    assert precious.read_text() == "kept"


@pytest.mark.parametrize(
    ("owner", "user", "foreign"),
    [(1001, 1000, True), (1000, 1000, False), (0, 1000, False), (1000, 0, False)],
)
def test_a_socket_of_another_user_is_not_spoken_to(owner: int, user: int, foreign: bool) -> None:
    assert is_foreign(owner, user=user) is foreign


def test_ones_own_socket_is_spoken_to(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.db.sock"))

        check_is_ours(tmp_path / "s.db.sock", tmp_path / "s.db")
