"""The kept secret is made once, belongs to one user, and is never replaced by itself."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.secret_key import secret_of, secret_path
from bot.settings import Settings
from engine.errors import Invalid
from engine.ids import SystemIds

KEY = "0123456789abcdef" * 2


def settings(folder: Path, *, secret_key: str | None = None) -> Settings:
    url = f"sqlite:///{folder / 'signoff.db'}"
    return Settings(database_url=url, secret_key=secret_key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_path(settings(tmp_path))
    path.write_text(KEY)
    path.chmod(mode)

    with pytest.raises(Invalid, match="chmod 600") as refused:
        secret_of(settings(tmp_path), SystemIds())

    assert refused.value.code == "bad_secret_key"


@pytest.mark.parametrize("content", ["", "\n", "short\n"])
def test_a_damaged_secret_is_refused_and_not_replaced(tmp_path: Path, content: str) -> None:
    path = secret_path(settings(tmp_path))
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(Invalid, match="shorter than 32"):
        secret_of(settings(tmp_path), SystemIds())

    assert path.read_text() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(KEY)
    elsewhere.chmod(0o600)
    secret_path(settings(tmp_path)).symlink_to(elsewhere)

    with pytest.raises(Invalid, match="not a plain file"):
        secret_of(settings(tmp_path), SystemIds())


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="SIGNOFF_SECRET_KEY"):
        secret_of(settings(tmp_path / "missing"), SystemIds())


def test_a_secret_that_was_set_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert secret_of(settings(tmp_path, secret_key=KEY), SystemIds()) == KEY.encode()
    assert list(tmp_path.iterdir()) == []


def test_a_made_secret_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    secret = secret_of(settings(tmp_path), SystemIds())

    [path] = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(secret) >= 32
    assert secret_of(settings(tmp_path), SystemIds()) == secret


def test_all_who_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: secret_of(settings(tmp_path), SystemIds()), range(32)))

    assert len(found) == 1
    assert len(list(tmp_path.iterdir())) == 1
