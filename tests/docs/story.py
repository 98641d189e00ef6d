"""Plays a page: its blocks in order, in a folder of their own, with a real server and stand-ins around it."""

import asyncio
import os
import re
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.demo.world import World
from engine.clock import SystemClock
from tests.docs.pages import Block
from tests.docs.people import People

BLOCK_WITHIN = timedelta(seconds=90)
ANSWERS_WITHIN = timedelta(seconds=30)
ENDS_WITHIN = timedelta(seconds=30)
PAUSE = timedelta(milliseconds=50)
CLOCK = SystemClock()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class Story:
    """One page, told in `folder`. What the page writes as an example is put where it is real here.

    `programs` are folders whose programs are found before those that are installed.
    """

    folder: Path
    world: World
    port: int = field(default_factory=free_port)
    receiver_port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    said: str = ""
    _servers: dict[str, Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def people(self) -> People:
        return People(url=self.url, log=self.folder / "server.log")

    def real(self, text: str) -> str:
        """`text` with the addresses and secrets of this machine in place of the examples'."""
        house = self.world.slack.house
        places = {
            "smtp+starttls://user:password@mail.example.com:587": self.world.mail.smtp_url,
            "xoxb-your-token": house.bot_token,
            "your-signing-secret": house.signing_secret,
            "T0123ABCD": house.team_id,
            ":8080": f":{self.port}",
            "127.0.0.1:9000": f"127.0.0.1:{self.receiver_port}",
            '("127.0.0.1", 9000)': f'("127.0.0.1", {self.receiver_port})',
        }
        for example, here in places.items():
            text = text.replace(example, here)
        return text

    def environment(self, *, asks: bool = False) -> Mapping[str, str]:
        home = str(self.folder / "home")
        return {
            "PATH": os.pathsep.join([*self.programs, str(Path(sys.executable).parent), os.defpath]),
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "SIGNOFF_PORT": str(self.port),
            "SIGNOFF_SLACK_API_URL": self.world.slack.api_url,
            **({"SIGNOFF_URL": self.url} if asks else {}),
            **self.extra,
        }

    async def tell(self, *blocks: Block) -> str:
        """Do what `blocks` say; everything they printed."""
        self.said = "".join([await self._block(block) for block in blocks])
        return self.said

    async def shell(self, script: str, *, asks: bool = False) -> str:
        """What `script` prints; it has to succeed."""
        script = f"set -euo pipefail\n{self.real(script)}"
        return await self._finished("bash", "-c", script, asks=asks)

    async def serve(self, script: str = "signoff serve") -> None:
        """Start the server anew in the background, and wait until it answers."""
        await self.stop("signoff")
        await self._begin("signoff", f"exec {script.strip()}")
        await self._answers(self.port, self._servers["signoff"])

    async def stop(self, name: str) -> None:
        """Ask a server to end; one that does not is killed."""
        process = self._servers.pop(name, None)
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(ENDS_WITHIN.total_seconds()):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def close(self) -> None:
        for name in [*self._servers]:
            await self.stop(name)

    async def _block(self, block: Block) -> str:
        if block.note("not run") is not None or block.language in {"text", "nginx", "mermaid"}:
            return ""
        file = block.note("file")
        if file is not None:
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_text(self.real(block.text), encoding="utf-8")
            return ""
        if block.note("serve") is not None:
            await self.serve(block.text)
            return ""
        if block.note("background") is not None:
            await self._begin("receiver", f"exec {block.text.strip()}")
            await self._answers(self.receiver_port, self._servers["receiver"])
            return ""
        async with self._meanwhile(block):
            if block.language == "python":
                return await self._finished(sys.executable, "-c", self.real(block.text), asks=True)
            return await self.shell(block.text) if block.language == "sh" else ""

    @asynccontextmanager
    async def _meanwhile(self, block: Block) -> AsyncGenerator[None]:
        wish = next(
            (note.split()[-1] for note in block.notes if note.startswith("meanwhile")), None
        )
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self.people.live(choice=wish))
            try:
                yield
            finally:
                work.cancel()

    async def _begin(self, name: str, script: str) -> None:
        async with AsyncExitStack() as stack:
            log = stack.enter_context((self.folder / "server.log").open("ab"))
            self._servers[name] = await asyncio.create_subprocess_exec(
                "bash", "-c", self.real(script),
                cwd=self.folder, env=self.environment(), stdout=log, stderr=STDOUT,
                start_new_session=True,
            )  # fmt: skip

    async def _answers(self, port: int, process: Process) -> None:
        until = CLOCK.now() + ANSWERS_WITHIN
        while CLOCK.now() < until and process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await CLOCK.sleep(PAUSE)
            else:
                writer.close()
                return
        raise AssertionError(f"The server does not answer.\n{self.log()}")

    async def _finished(self, *command: str, asks: bool) -> str:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=self.environment(asks=asks), stdout=PIPE, stderr=STDOUT
        )
        async with asyncio.timeout(BLOCK_WITHIN.total_seconds()):
            out, _ = await process.communicate()
        said = out.decode(errors="replace")
        assert process.returncode == 0, f"{command[-1]}\nsaid\n{said}\n{self.log()}"
        return said

    def log(self) -> str:
        file = self.folder / "server.log"
        return file.read_text(errors="replace")[-4000:] if file.exists() else ""


def ids_in(text: str, kind: str) -> list[str]:
    """Every id of one kind, as in `apr_…`, in the order they are said."""
    return list(dict.fromkeys(re.findall(rf"\b{kind}_[0-9a-f]{{32}}\b", text)))
