"""Where command lines under test begin: everything is imported once, and each `signoff` is a fork of it.

A process of its own all the same, with its own environment, folder and pipes; only the second that Python
takes to import what is the same every time is saved. What is about that beginning starts a real one.
"""

import atexit
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final

PRELOADED: Final = (
    "anyio._backends._asyncio",
    "bot.cli.servers",
    "bot.cli.verbs",
    "bot.databases",
    "bot.doctor",
    "bot.logbook",
    "bot.serving",
    "bot.web.local",
    "bot.wiring",
    "bot.workflow_modules",
    "channels.email.channel",
    "channels.slack.channel",
    "channels.slack.inbound",
    "engine.http",
    "engine.services.witnessing",
    "httpcore",
    "uvloop",
)
REQUEST_BYTES_MAX: Final = 200_000
ANSWER_BYTES_MAX: Final = 100
BEGINS_WITHIN: Final = 60.0  # seconds
ROOT: Final = Path(__file__).resolve().parents[1]

CLIENT: Final = '''\
#!{python} -IS
"""Asks the nursery for a fork, and stands for it: same pipes, same end, and signals are handed on."""
import json, os, signal, socket, sys
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
line.connect({path!r})
request = {{"words": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
socket.send_fds(line, [json.dumps(request).encode()], [0, 1, 2])
pid = json.loads(line.recv(100))
for each in (signal.SIGTERM, signal.SIGINT):
    signal.signal(each, lambda number, frame: os.kill(pid, number))
code = json.loads(line.recv(100))
sys.exit(code if code >= 0 else 128 - code)
'''


class Forked:
    """A command line that was begun by the nursery; used like a `subprocess.Popen` with text pipes."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stderr: IO[str] | None = None,
    ) -> None:
        out, its_out = os.pipe()
        err, its_err = os.pipe() if stderr is None else (None, os.dup(stderr.fileno()))
        nothing = os.open(os.devnull, os.O_RDONLY)
        request = {"words": [*words], "cwd": str(cwd), "env": dict(env)}
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.connect(str(nursery() / "line"))
        given = [nothing, its_out, its_err]
        socket.send_fds(self._line, [json.dumps(request).encode()], given)
        for each in given:
            os.close(each)
        self.stdout: IO[str] = os.fdopen(out, encoding="utf-8")
        self.stderr: IO[str] | None = None if err is None else os.fdopen(err, encoding="utf-8")
        self.pid: int = json.loads(self._line.recv(ANSWER_BYTES_MAX))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, as `subprocess` says it: minus the signal that ended it.

        Raises:
            TimeoutError: if it has not within `timeout` seconds.
        """
        if self.returncode is None:
            self._line.settimeout(timeout)
            self.returncode = int(json.loads(self._line.recv(ANSWER_BYTES_MAX)))
            self._line.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it still says, and its end."""
        said: dict[str, str] = {}
        readers = [
            threading.Thread(target=_read, args=(said, name, pipe), daemon=True)
            for name, pipe in (("out", self.stdout), ("err", self.stderr))
            if pipe is not None and not pipe.closed
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        return said.get("out", ""), said.get("err", "")

    def send_signal(self, number: int) -> None:
        """Tell it, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


@cache
def nursery() -> Path:
    """The folder in which the nursery of this process and its forks listens, and a `signoff` for shells lies."""
    folder = Path(tempfile.mkdtemp(prefix="signoff-nursery-"))
    client = folder / "bin" / "signoff"
    client.parent.mkdir()
    client.write_text(CLIENT.format(python=sys.executable, path=str(folder / "line")))
    client.chmod(0o755)
    clean = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(_own_paths())}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.nursery", str(folder / "line")],
        cwd=ROOT, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    atexit.register(_close, process, folder, os.getpid())
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return folder


def _own_paths() -> list[str]:
    return [str(ROOT), *(path for path in sys.path if path.startswith(str(ROOT)))]


def _close(process: "subprocess.Popen[bytes]", folder: Path, owner: int) -> None:
    if os.getpid() != owner:
        return
    process.communicate()
    shutil.rmtree(folder)


def _read(said: dict[str, str], name: str, pipe: IO[str]) -> None:
    with pipe:
        said[name] = pipe.read()


class Hatchery:
    """The nursery itself: one thread, so that a fork of it is whole."""

    def __init__(self, path: str) -> None:
        self._ears = selectors.DefaultSelector()
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._door.bind(path)
        self._door.listen(100)
        self._ears.register(self._door, selectors.EVENT_READ)
        self._ears.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self._children: dict[int, tuple[int, socket.socket]] = {}  # by what becomes readable

    def next_child(self) -> Mapping[str, Any] | None:
        """Serve until the tests have ended, which is None; what a child is to do, in the child."""
        while True:
            for key, _events in self._ears.select():
                if key.fd == sys.stdin.fileno():
                    return None
                if key.fileobj is self._door:
                    request = self._begin()
                    if request is not None:
                        return request
                elif key.fd in self._children:
                    self._end(key.fd)

    def _begin(self) -> Mapping[str, Any] | None:
        line, _address = self._door.accept()
        words, pipes, _flags, _address = socket.recv_fds(line, REQUEST_BYTES_MAX, 3)
        pid = os.fork()
        if pid == 0:
            self._ears.close()
            self._door.close()
            line.detach()
            for number, pipe in enumerate(pipes):
                os.dup2(pipe, number)
            os.closerange(3, 1_000)
            request: Mapping[str, Any] = json.loads(words)
            return request
        for pipe in pipes:
            os.close(pipe)
        line.send(json.dumps(pid).encode())
        ended = os.pidfd_open(pid)
        for readable in (ended, line.fileno()):
            self._children[readable] = (pid, line)
            self._ears.register(readable, selectors.EVENT_READ, data=ended)
        return None

    def _end(self, readable: int) -> None:
        """The child has ended, or whoever asked for it has."""
        pid, line = self._children[readable]
        if readable == line.fileno():
            os.kill(pid, signal.SIGKILL)
        _pid, status = os.waitpid(pid, 0)
        with suppress(OSError):  # nobody may want to know any more
            line.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
        for each in [each for each, (whose, _line) in self._children.items() if whose == pid]:
            self._ears.unregister(each)
            del self._children[each]
            if each != line.fileno():
                os.close(each)
        line.close()


def become(request: Mapping[str, Any]) -> None:
    """Go on in this fork as `signoff` that was typed in that folder, with that environment."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["signoff", *request["words"]]
    sys.path[:0] = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    at_once = "PYTHONUNBUFFERED" in os.environ
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False, buffering=1 if at_once else -1)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    from signoff.__main__ import main as signoff

    try:
        signoff()
    except SystemExit as ended:
        _ENDED.code = 0 if ended.code is None else ended.code if isinstance(ended.code, int) else 1
        raise


class _Ended:
    """What a fork's process says at its very end."""

    code = 1


_ENDED: Final = _Ended()


def _leave() -> None:
    """In place of taking every module apart, which a fork would copy to do so. What was begun is over by now."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_ENDED.code)


def main(path: str) -> None:
    """Listen, import everything, and serve whoever has come meanwhile."""
    atexit.register(_leave)  # first, and so it is called last
    hatchery = Hatchery(path)
    os.write(1, b"ready\n")
    gc.disable()  # nothing that is imported is garbage
    for name in PRELOADED:
        import_module(name)
    import_module("engine.http").plain_client()  # reads the certificates
    gc.freeze()
    gc.enable()
    request = hatchery.next_child()
    if request is not None:
        become(request)
    else:
        _ENDED.code = 0


if __name__ == "__main__":
    main(sys.argv[1])
