"""A process under strace: killed at the n-th call of a kind, or told that the disk failed it or is full."""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest
from typing_extensions import override

from engine.errors import Fault

# How a SQLite file and whoever writes it touch the world.
CALLS = ("fdatasync", "pwrite64", "ftruncate", "unlink", "sendto")
ATTACHED_WITHIN = 30.0  # seconds
LOOK = 0.005


@dataclass(frozen=True, kw_only=True)
class Injury:
    """What befalls a process at its `number`-th `call`, counted for each thread, and until it was `last` times.

    Without an error it is killed (-9) before the call is made.
    """

    call: str
    number: int
    error: str | None = None
    last: int | None = None

    @property
    def rule(self) -> str:
        """As strace is told."""
        what = "signal=KILL" if self.error is None else f"error={self.error}"
        when = f"{self.number}" if self.last is None else f"{self.number}..{self.last}"
        return f"inject={self.call}:{what}:when={when}"

    @override
    def __str__(self) -> str:
        return f"{self.error or 'kill'} at {self.call} {self.number}"


def strace() -> str:
    """Where it is; skips the test where it is not."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed, and without it no process dies within a system call.")
    return found


@contextmanager
def injured(pid: int, injury: Injury) -> Generator[None]:
    """The process and all its threads, watched until it has ended or the block has.

    Raises:
        Fault: if it cannot be watched.
    """
    words = [strace(), "-f", "-qq", "-o", "/dev/null", "-e", f"trace={injury.call}"]
    watching = subprocess.Popen(
        [*words, "-e", injury.rule, "-p", str(pid)], stderr=subprocess.PIPE, text=True
    )
    try:
        _until_attached(watching, pid)
        yield
        watching.wait(timeout=ATTACHED_WITHIN)
    finally:
        watching.terminate()
        watching.communicate()


def _until_attached(watching: "subprocess.Popen[str]", pid: int) -> None:
    pause = Event()
    for _look in range(int(ATTACHED_WITHIN / LOOK)):
        if "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text():
            return
        if watching.poll() is not None:
            said = "" if watching.stderr is None else watching.stderr.read()
            pytest.skip(f"strace may not look into processes here: {said}")
        pause.wait(LOOK)
    raise Fault("strace did not attach.")
