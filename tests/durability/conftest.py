"""A scene for each test: an empty file, a world that takes notes, and time by hand."""

import shutil
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from engine.ids import SystemIds
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability.notes import Notes
from tests.durability.rich import Rich
from tests.durability.scene import Scene

KILLS = 50
EVERY = 5  # of the commits of a run
MEMORY = Path("/dev/shm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--commits",
        type=int,
        default=EVERY,
        help="Let every so-many-th commit of a run fail (1 is all); give it together with that folder.",
    )
    parser.addoption(
        "--kills",
        type=int,
        default=KILLS,
        help="How often tests/durability kills a server; give it together with that folder.",
    )
    parser.addoption(
        "--points",
        type=int,
        default=0,
        help="Have test_sweeps.py kill at every so-many-th system call, 1 is all; with that folder.",
    )


@pytest.fixture(scope="session")
def rich(migrated_file: Path) -> Generator[Rich]:
    """A file in which everything has happened; copy it before you tamper with it."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        made = Rich(Path(name))
        made.make(migrated_file)
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path]:
    """A folder in memory where there is one: these tests commit thousands of times."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
async def scene(
    folder: Path, migrated_file: Path, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> AsyncGenerator[Scene]:
    path = folder / "signoff.db"
    shutil.copyfile(migrated_file, path)
    world = Notes(folder, clock)
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        made = Scene(database, clock, world, folder)
        await made.prepare()
        yield made
    world.close()
