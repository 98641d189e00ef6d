"""Killed within any system call, on a disk that fails or is full: no vote is lost, no effect comes twice."""

import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.cli.terminal import print_json
from tests.durability.conftest import MEMORY
from tests.durability.stories import PLAYS
from tests.durability.sweep import hurt, wrong_afterwards
from tests.durability.traced import CALLS, Injury

pytestmark = pytest.mark.slow

# Of each story a call in its middle or so; `--points 1` takes every one there is.
SAMPLE = {
    "gated": [("pwrite64", 23)],
    "undone": [("fdatasync", 6)],
    "charged": [("fdatasync", 5)],
    "probed": [("pwrite64", 11)],
    "changed": [("fdatasync", 7)],
    "family": [("pwrite64", 40)],
    "receipts": [("fdatasync", 2)],
    "anchored": [("pwrite64", 3)],
}
# A disk that fails at the moment of a commit or of a page, and one that is full for a while.
BAD_DISKS = [
    ("changed", Injury(call="fdatasync", number=6, error="EIO")),
    ("receipts", Injury(call="fdatasync", number=2, error="EIO")),
    ("anchored", Injury(call="pwrite64", number=5, error="EIO")),
    ("charged", Injury(call="pwrite64", number=9, last=14, error="ENOSPC")),
    ("changed", Injury(call="pwrite64", number=4, last=12, error="ENOSPC")),
    ("undone", Injury(call="pwrite64", number=30, last=40, error="ENOSPC")),
]
MISSES = 2  # so many numbers in a row that no thread reached: there are no more calls of the kind


@pytest.fixture(scope="module")
def nursery() -> ForkServerContext:
    """Where lives begin: everything is imported once, and each life is a fork of it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.durability.sweep"])
    return context


@contextmanager
def fresh() -> Generator[Path]:
    """A folder in memory where there is one."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


def wrong(
    nursery: ForkServerContext,
    migrated_file: Path,
    story: str,
    injury: Injury,
    *,
    from_the_start: bool = False,
) -> tuple[bool, list[str]]:
    """Whether the injury killed, and what was wrong once all was brought to its end."""
    with fresh() as folder:
        killed = hurt(nursery, migrated_file, folder, story, injury, from_the_start=from_the_start)
        return killed, [f"{injury}: {line}" for line in wrong_afterwards(folder, story)]


def points(story: str, call: str, *, every: int) -> list[int]:
    """At which numbers of the call to kill: all that there are, or every so-many-th, or a sample."""
    if every:
        return list(range(1, 1_000, every))
    return [number for which, number in SAMPLE[story] if which == call]


@pytest.mark.parametrize("story", PLAYS)
def test_killed_within_any_system_call_it_comes_to_the_same_end(
    nursery: ForkServerContext, migrated_file: Path, request: pytest.FixtureRequest, story: str
) -> None:
    every: int = request.config.getoption("points", 0)
    kills, found = 0, list[str]()

    for call in CALLS:
        misses = 0
        for number in points(story, call, every=every):
            killed, lines = wrong(nursery, migrated_file, story, Injury(call=call, number=number))
            found += lines
            kills, misses = kills + killed, 0 if killed else misses + 1
            if misses == MISSES:
                break

    print_json({"story": story, "kills": kills, "found": found})
    assert found == []
    assert kills >= len(SAMPLE[story])


@pytest.mark.parametrize(("story", "injury"), BAD_DISKS, ids=str)
def test_what_a_bad_disk_refused_nobody_was_told_of_and_what_was_told_is_there(
    nursery: ForkServerContext, migrated_file: Path, story: str, injury: Injury
) -> None:
    killed, found = wrong(nursery, migrated_file, story, injury)

    assert found == []
    assert not killed
