"""A worker that is told to stop hands over at once, and one that was stopped for a while writes nothing more."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import runs
from engine.store.database import Database, Transaction
from tests.workers.crew import (
    SECONDS_MAX,
    at_work,
    begun,
    has_ended,
    holders,
    kinds,
    moments,
    standings,
    verified,
)
from tests.workers.flows import effects
from tests.workers.life import Place

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.postgres]

RUNS = 100
STEPS = 10
FEW, CYCLES = 6, 2  # a run that is lost a third time without getting anywhere is set aside


@pytest.fixture
def patient(shared: Place) -> Place:
    """A place where a lease is long: whoever waits for it to end is too late."""
    return replace(shared, lease_for=timedelta(seconds=SECONDS_MAX))


async def test_what_is_under_way_at_a_stop_goes_on_elsewhere_at_once_and_nothing_twice(
    patient: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    await begun(patient, "wk_long", RUNS, ledger=str(ledger))
    async with patient.opened() as database:
        with ExitStack() as crew:
            first = crew.enter_context(at_work(nursery, patient))
            await until_held(database, RUNS)
            crew.enter_context(at_work(nursery, patient))
            told_at = len(effects(ledger))
            stop(first)
            passed = await until(database, standings, {"wk_long completed": RUNS})

        assert passed < SECONDS_MAX / 2
    assert told_at < RUNS * STEPS
    done = effects(ledger)
    assert len(done) == len(set(done)) == RUNS * STEPS


async def test_a_step_that_does_not_end_is_cut_short_and_its_lease_given_back(
    patient: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    hasty = replace(patient, stopped_after=timedelta(milliseconds=200))
    [run] = await begun(patient, "wk_hanging", 1, ledger=str(tmp_path / "ledger"))
    async with patient.opened() as database:
        with at_work(nursery, hasty) as worker:
            await until_held(database, 1)
            stop(worker)

        held, tries = (
            await database.read(holders),
            await database.read(lambda tx: tries_of(tx, run)),
        )

    assert (held, tries) == ({}, 0)


async def test_a_worker_that_slept_past_its_lease_changes_nothing_when_it_wakes(
    shared: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    async with shared.opened() as database:
        with at_work(nursery, shared) as one, at_work(nursery, shared) as other:
            awake, asleep = one, other
            send(asleep, signal.SIGSTOP)
            started = await begun(shared, "wk_long", FEW, ledger=str(tmp_path / "ledger"))
            for _cycle in range(CYCLES):
                await until_held(database, 1)
                send(awake, signal.SIGSTOP)
                send(asleep, signal.SIGCONT)
                awake, asleep = asleep, awake
                before = await database.read(holders)
                await until_others_hold(database, before)
            send(asleep, signal.SIGCONT)
            await until(database, standings, {"wk_long completed": FEW})
            stop(one)
            stop(other)

        told = [await database.read(partial(kinds, run=run)) for run in started]
        wrong = [await database.read(partial(verified, run=run)) for run in started]
    assert [each.count("step.finished") for each in told] == [STEPS] * FEW
    assert wrong == [[]] * FEW


def tries_of(tx: Transaction, run: RunId) -> int:
    return runs.find(tx, DEFAULT_TENANT, run).tries


async def until(
    database: Database, asked: Callable[[Transaction], Counter[str]], wanted: Mapping[str, int]
) -> float:
    """How long it took; a minute at most."""
    for passed in moments():
        if await database.read(asked) == wanted:
            return passed
    raise AssertionError(await database.read(asked))


async def until_held(database: Database, number: int) -> None:
    for _moment in moments():
        if (await database.read(holders)).total() >= number:
            return
    raise AssertionError("Nobody takes them up.")


async def until_others_hold(database: Database, before: Counter[str]) -> None:
    for _moment in moments():
        if not (await database.read(holders)).keys() & before.keys():
            return
    raise AssertionError("Nobody takes over.")


def send(worker: ForkServerProcess, number: signal.Signals) -> None:
    assert worker.pid is not None
    os.kill(worker.pid, number)


def stop(worker: ForkServerProcess) -> None:
    send(worker, signal.SIGTERM)
    assert has_ended(worker, SECONDS_MAX)
