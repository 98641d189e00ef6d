"""The demo's Signoff: a process of its own, which can be killed and started again."""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.demo.trees import parsed, record, text

BEGINS_WITHIN: Final = timedelta(seconds=30)
ENDS_WITHIN: Final = timedelta(seconds=5)
TAIL_LINES: Final = 30


class NotStarted(Exception):
    """The server did not come up; the message holds the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server is; `sign_in` is the first operator's link, until somebody signed in."""

    url: str
    sign_in: str


class Server:
    """`signoff serve` in `folder`, with exactly `settings`: nothing of this process's environment."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = settings
        self._process: Process | None = None

    async def start(self) -> Address:
        """Start it, and return once it answers.

        Raises:
            NotStarted: if it ends, or says nothing in time.
        """
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "signoff", "serve", "--json",
                cwd=self._folder,
                env={"PATH": os.defpath, "TMPDIR": tempfile.gettempdir(), **self._settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=log,
            )  # fmt: skip
        self._process = process
        if process.stdout is None:
            raise NotStarted("The server has no output.")
        try:
            async with asyncio.timeout(BEGINS_WITHIN.total_seconds()):
                said = record(parsed(await process.stdout.readline()))
        except (TimeoutError, ValueError):
            await self.kill()
            raise NotStarted(f"The server did not start.\n{self.log_tail()}") from None
        return Address(url=text(said, "url"), sign_in=text(said, "sign_in"))

    @property
    def pid(self) -> int | None:
        """The number of its process; None before it was started."""
        return None if self._process is None else self._process.pid

    async def ended(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return 0 if self._process is None else await self._process.wait()

    async def kill(self) -> int:
        """End it as a pulled plug would (-9); its exit code."""
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.kill()
        return await process.wait()

    async def stop(self) -> None:
        """Ask it to end, and see that it does."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(ENDS_WITHIN.total_seconds()):
                await process.wait()
        except TimeoutError:
            await self.kill()

    def log_tail(self) -> str:
        """The end of what it logged."""
        if not self._log.exists():
            return ""
        written = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(written.splitlines()[-TAIL_LINES:])

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"
