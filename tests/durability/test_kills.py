"""A server that is killed (-9) at any moment under load loses no vote, no timer, no delivery and no run."""

import multiprocessing
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest

from bot.chaos.checker.pages import opened_book, opened_pages
from bot.chaos.checker.progress import unfinished
from bot.chaos.checker.violations import Evidence, violations
from engine.clock import SystemClock, micros
from engine.digest import sha256
from engine.errors import Fault
from tests.durability import flows, notes
from tests.durability.conftest import KILLS
from tests.durability.life import live

BEGUN_WITHIN, FINISHED_WITHIN = 30.0, 60.0  # seconds
LIFE = (0.05, 0.6)  # seconds of load before a kill


@pytest.fixture(scope="module")
def nursery() -> ForkServerContext:
    """Where lives begin: everything is imported once, and each life is a fork of it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.durability.life"])
    return context


@contextmanager
def alive(
    nursery: ForkServerContext, folder: Path, life: int, *, is_last: bool = False
) -> Iterator[ForkServerProcess]:
    """A life that has begun; it is killed at the end of the block."""
    ready, told = nursery.Pipe(duplex=False)
    process = nursery.Process(target=live, args=(folder, life, told), kwargs={"is_last": is_last})
    process.start()
    told.close()
    try:
        if not ready.poll(BEGUN_WITHIN):
            raise Fault("A life did not begin.")
        ready.recv()
        yield process
    finally:
        process.kill()
        process.join()
        process.close()
        ready.close()


def evidence(folder: Path, *, kills: int, is_quiet: bool = False) -> Evidence:
    return Evidence(
        effects=notes.effects(folder),
        acked=notes.acks(folder),
        shown=notes.messages(folder),
        kills=kills,
        names=flows.STEPS,
        made=notes.made(folder),
        channel="email",
        now=micros(SystemClock().now()) if is_quiet else None,
    )


def moment(life: int) -> float:
    """When to kill this life: as good as random, and the same in every session."""
    digits = sha256(f"kill {life}".encode())[-8:]
    shortest, longest = LIFE
    return shortest + (longest - shortest) * int(digits, 16) / 0xFFFFFFFF


def at_work(process: ForkServerProcess, folder: Path) -> None:
    """Return once this life has told somebody of a vote and has had an effect, however slow it is."""
    told, done = notes.count(folder, "acked"), notes.count(folder, "effects")
    for _look in range(int(BEGUN_WITHIN * 50)):
        if notes.count(folder, "acked") > told and notes.count(folder, "effects") > done:
            return
        if wait([process.sentinel], timeout=0.02):
            return
    raise Fault("A life did nothing.")


def is_finished(path: Path) -> bool:
    """Whether everything had its time but what waits for an hour or for people."""
    now = micros(SystemClock().now() + timedelta(seconds=5))
    return not list(unfinished(opened_pages(path, "runs", "timers", "outbox"), now))


@pytest.mark.slow
def test_killed_at_any_moment_it_loses_nothing_and_does_nothing_unasked(
    nursery: ForkServerContext, migrated_file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills: int = request.config.getoption("kills", KILLS)
    path = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, path)

    for life in range(kills):
        with alive(nursery, tmp_path, life) as process:
            at_work(process, tmp_path)
            died_by_itself = wait([process.sentinel], timeout=moment(life))
        assert died_by_itself == []
        assert violations(opened_book(path), evidence(tmp_path, kills=life + 1)) == []
    with alive(nursery, tmp_path, kills, is_last=True) as process:
        looks = iter(lambda: wait([process.sentinel], timeout=0.25) or is_finished(path), True)
        for _look, _left in zip(range(int(FINISHED_WITHIN * 4)), looks, strict=False):
            pass

    book = opened_book(path)
    assert violations(opened_book(path), evidence(tmp_path, kills=kills, is_quiet=True)) == []
    assert len(notes.acks(tmp_path)) >= kills
    assert len(notes.effects(tmp_path)) >= kills
    assert {row["status"] for row in book["runs"]} >= {"completed", "rolled_back"}
    assert any(timer["fired_at"] for timer in book["timers"])
    done = {each.name for each in notes.effects(tmp_path)}
    assert done >= {"charge", "order", "undo migrate"}
