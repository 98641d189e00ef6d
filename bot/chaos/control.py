"""A PostgreSQL that the chaos may end and begin, by its own `pg_ctl`."""

import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from engine.errors import Invalid, Unavailable

WITHIN_S: Final = 60
STARTS: Final = 40


class Control(Protocol):
    """What can be done to the server."""

    def kill(self) -> None:
        """End it as a crash of the machine would: without a word to anybody."""
        ...

    def stop(self) -> None:
        """End it and every connection at once."""
        ...

    def start(self) -> None:
        """Begin it again, and return once it answers."""
        ...


@dataclass(frozen=True, slots=True)
class PgCtl:
    """The server whose files are in `data`, started again as it was started last."""

    program: Path
    data: Path
    pause: Callable[[float], object]

    def check(self) -> None:
        """Return if there is such a server, and it runs.

        Raises:
            Invalid: otherwise.
        """
        if not self.program.is_file():
            raise Invalid(f"{self.program} is no pg_ctl.", code="usage")
        if self._pid() is None:
            raise Invalid(f"No PostgreSQL runs in {self.data}.", code="usage")

    def kill(self) -> None:
        pid = self._pid()
        if pid is None:
            return
        children = _children(pid)
        os.kill(pid, signal.SIGKILL)
        for _look in range(WITHIN_S * 50):
            # Its children end by themselves, and until then nobody may start it again.
            if not any(_runs(each) for each in (pid, *children)):
                return
            self.pause(0.02)

    def stop(self) -> None:
        self._run("stop", "-m", "immediate")

    def start(self) -> None:
        options = self._options()
        log = self.data / "signoff-chaos.log"
        for tries in range(STARTS):
            try:
                return self._run("start", "-l", str(log), *(("-o", options) if options else ()))
            except Unavailable:
                # Until its parent has asked for how it ended, a killed server seems to be there.
                if tries == STARTS - 1:
                    raise
                self.pause(0.5)
        return None

    def _run(self, verb: str, *more: str) -> None:
        owner = self.data.stat().st_uid if os.geteuid() == 0 else None
        done = subprocess.run(
            [self.program, verb, "-w", "-t", str(WITHIN_S), "-D", self.data, *more],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.data,
            user=owner,
        )
        if done.returncode != 0:
            raise Unavailable(f"pg_ctl {verb} failed: {done.stderr.decode(errors='replace')}")

    def _options(self) -> str:
        # As the server was started last: its program, `-D` and the folder, and what else it was told.
        written = (self.data / "postmaster.opts").read_text(encoding="utf-8")
        words = shlex.split(written)[1:]
        if "-D" in words:
            at = words.index("-D")
            del words[at : at + 2]
        return shlex.join(words)

    def _pid(self) -> int | None:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        pid = int(lines[0])
        return pid if _runs(pid) else None


def _runs(pid: int) -> bool:
    words = _words(Path(f"/proc/{pid}/stat"))
    return bool(words) and words[0] != "Z"  # one that ended and was not asked for is gone


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        words = _words(stat)
        if words and int(words[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def _words(stat: Path) -> list[str]:
    """The state of a process, its parent and more; nothing of one that is gone."""
    try:
        return stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []
