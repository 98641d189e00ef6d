"""A disk that fails at the moment of the commit, and a process that may open only a few files."""

import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from engine.clock import SystemClock
from engine.ids import SystemIds
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.architecture.sources import ROOT
from tests.cli.ground import SECONDS_MAX, new_shop, served, until
from tests.faults.disks import small_disk
from tests.faults.rows import kept

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROWS = 12
FILES_MAX = 64
VISITORS = 80


def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed, and without it no disk fails on demand.")
    return found


def written(path: Path, *, failing: int) -> dict[str, str]:
    """What a process was told of each row, whose commit number `failing` the disk did not take."""
    inject = f"inject=fdatasync,fsync:error=EIO:when={failing}"
    program = [sys.executable, "-m", "tests.faults.writer", str(path), str(ROWS)]
    ended = subprocess.run(
        [
            strace(),
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=fdatasync,fsync",
            "-e",
            inject,
            *program,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if "ptrace" in ended.stderr:
        pytest.skip(f"strace may not look into processes here: {ended.stderr}")
    return dict(line.split() for line in ended.stdout.splitlines())


@pytest.mark.parametrize("failing", [7, 10])
async def test_a_commit_that_the_disk_failed_is_said_to_be_unsure_and_no_other_is_lost(
    file: Path, ids: SystemIds, tokens: Tokens, failing: int
) -> None:
    told = written(file, failing=failing)

    async with opened(file, clock=SystemClock(), ids=ids, tokens=tokens) as database:
        found = set(await database.read(kept))

    sure = {key for key, said in told.items() if said == "kept"}
    unsure = {key for key, said in told.items() if said == "not_recorded"}
    assert (len(unsure), len(sure)) == (1, ROWS - 1), told
    assert sure <= found <= sure | unsure


def test_a_server_with_few_files_left_answers_again_when_the_crowd_has_gone(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    with served(shop) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (FILES_MAX, FILES_MAX))
        with ExitStack() as crowd:
            for _ in range(VISITORS):  # the listener's own line takes those who find no room
                address = ("127.0.0.1", shop.port)
                crowd.enter_context(socket.create_connection(address, timeout=SECONDS_MAX))
            until(lambda: files_of(server.process.pid) >= FILES_MAX - 1)

        until(lambda: ready(shop.url).status_code == 200)


def test_a_server_on_a_full_disk_refuses_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        shop = new_shop(disk.path / "shop")
        with served(shop):
            before = shop.says("run", "greet", "-i", "name=Ana")
            disk.fill()
            until(lambda: ready(shop.url).status_code == 503)
            told = ready(shop.url).json()
            during = shop.says("run", "greet", "-i", "name=Bo")
            disk.make_room()
            until(lambda: ready(shop.url).status_code == 200)
            after = shop.says("run", "greet", "-i", "name=Eve")
            with closing(sqlite3.connect(shop.database)) as hand:
                runs = {run for (run,) in hand.execute("SELECT id FROM runs")}

    assert (told["code"], during.code) == ("store_full", 1)
    assert "make room" in during.err
    assert runs == {before.out.strip(), after.out.strip()}


def files_of(process: int) -> int:
    """How many it has open."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def ready(url: str) -> httpx.Response:
    return httpx.get(f"{url}/readyz", trust_env=False, timeout=SECONDS_MAX)
