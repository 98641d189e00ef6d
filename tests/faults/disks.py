"""Disks that misbehave: small ones that can be filled and closed, where this machine lets us mount them."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, kw_only=True)
class SmallDisk:
    """A file system of a few megabytes."""

    path: Path

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def fill(self) -> None:
        """Leave not a byte."""
        piece = 1 << 20
        with self._filler.open("ab", buffering=0) as filler:
            while piece:
                try:
                    filler.write(bytes(piece))
                except OSError:
                    piece //= 2

    def make_room(self) -> None:
        """Take away what filled it."""
        with suppress(FileNotFoundError):
            self._filler.unlink()

    def close(self) -> None:
        """From now on it is read-only."""
        _mount("-o", "remount,ro", self.path)

    def open(self) -> None:
        """It takes writes again."""
        _mount("-o", "remount,rw", self.path)


@contextmanager
def small_disk(path: Path, *, megabytes: int) -> Generator[SmallDisk]:
    """A disk of its own in `path`; skips the test where nobody may mount one."""
    path.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"A small disk cannot be mounted here: {error}")
    try:
        yield SmallDisk(path=path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)
