"""A run that ends its worker is driven three times and set aside; nobody else is the worse for it."""

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest

from engine.ids import DEFAULT_TENANT, RunId, WorkerId
from engine.rules.suspicion import CRASHES_MAX
from engine.services import driving, runs
from engine.store.database import Transaction
from engine.store.runs import Claim
from tests.workers.crew import (
    SECONDS_MAX,
    asked,
    at_work,
    begun,
    has_ended,
    kinds,
    moments,
    standings,
)
from tests.workers.flows import effects
from tests.workers.life import Place

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NEIGHBOURS = 50
SOON_S = 0.2
LEASE = timedelta(seconds=30)
SET_ASIDE = Counter(
    {"wk_neighbour completed": NEIGHBOURS, "wk_leaving quarantined": 1, "wk_killed quarantined": 1}
)


async def with_neighbours(place: Place, ledger: Path) -> list[RunId]:
    """Two runs that end their workers, each in its way, among fifty that do not."""
    await begun(place, "wk_neighbour", NEIGHBOURS // 2, ledger=f"{ledger}.n")
    [first] = await begun(place, "wk_leaving", 1, ledger=str(ledger))
    [second] = await begun(place, "wk_killed", 1, ledger=str(ledger))
    await begun(place, "wk_neighbour", NEIGHBOURS // 2, ledger=f"{ledger}.n")
    return [first, second]


def poison(ledger: Path) -> Counter[str]:
    return Counter(what for what, _key in effects(ledger) if what != "peaceful")


def struck_as_often_as_they_may(ledger: Path) -> bool:
    """Whether each struck, and none more than three times.

    In company one may be lost with a worker that the other has ended, before it came to strike; on
    its last try it is alone, and does.
    """
    struck = poison(ledger)
    return struck.keys() == {"leave", "be_killed"} and max(struck.values()) <= CRASHES_MAX


async def test_on_a_file_whoever_ends_its_process_is_set_aside(
    file: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    await with_neighbours(file, ledger)

    for _moment in moments():
        with at_work(nursery, file) as process:
            has_ended(process, 3)
        if await asked(file, standings) == SET_ASIDE:
            break

    assert await asked(file, standings) == SET_ASIDE
    assert struck_as_often_as_they_may(ledger)


async def test_alone_on_a_file_whoever_gets_somewhere_has_three_tries_from_there(
    file: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    await begun(file, "wk_killed", 1, ledger=str(ledger))

    for _life in range(3):
        with at_work(nursery, file) as process:
            assert has_ended(process, SECONDS_MAX)
    with at_work(nursery, file) as process:
        assert not has_ended(process, 2)

    assert await asked(file, standings) == {"wk_killed quarantined": 1}
    assert poison(ledger) == {"be_killed": 3}


@pytest.mark.postgres
async def test_of_two_workers_none_takes_up_a_run_a_fourth_time(
    shared: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    culprits = await with_neighbours(shared, ledger)

    async with shared.opened() as database:
        with Shift(nursery, shared) as shift:
            for _moment in moments():
                shift.go_on()
                if await database.read(standings) == SET_ASIDE:
                    break

        assert await database.read(standings) == SET_ASIDE
        assert struck_as_often_as_they_may(ledger)
        told = [await database.read(partial(kinds, run=run)) for run in culprits]
    assert [each[-1] for each in told] == ["run.quarantined"] * 2


async def test_memory_that_is_not_there_fails_the_run_and_not_the_worker(
    file: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    await begun(file, "wk_greedy", 1, ledger=str(ledger))
    await begun(file, "wk_neighbour", 1, ledger=f"{ledger}.n")

    with at_work(nursery, file) as process:
        ended = has_ended(process, 2)

    assert not ended
    assert await asked(file, standings) == {"wk_greedy failed": 1, "wk_neighbour completed": 1}


async def test_whoever_was_released_has_three_tries_again(
    file: Place, nursery: ForkServerContext, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    [run] = await begun(file, "wk_leaving", 1, ledger=str(ledger))

    def claim(tx: Transaction) -> list[Claim]:
        return driving.claim(
            tx, worker=WorkerId("w"), workflows=["wk_leaving@1"], lease_for=LEASE, limit=1
        )

    def release(tx: Transaction) -> None:
        runs.release(tx, DEFAULT_TENANT, run, by="local", reason="mended")

    for _round in range(2):
        for _life in range(3):
            with at_work(nursery, file) as process:
                assert has_ended(process, SECONDS_MAX)
        assert await asked(file, claim) == []
        assert await asked(file, standings) == {"wk_leaving quarantined": 1}
        await asked(file, release)

    assert poison(ledger) == {"leave": 6}


class Shift:
    """Two workers; whoever ended is replaced."""

    def __init__(self, nursery: ForkServerContext, place: Place) -> None:
        self._nursery, self._place = nursery, place
        self._workers: list[tuple[ExitStack, ForkServerProcess]] = []

    def __enter__(self) -> "Shift":
        self._workers = [self._begin(), self._begin()]
        return self

    def go_on(self) -> None:
        for index, (stack, process) in enumerate(self._workers):
            if has_ended(process, SOON_S):
                stack.close()
                self._workers[index] = self._begin()

    def __exit__(self, *_how: object) -> None:
        for stack, _process in self._workers:
            stack.close()

    def _begin(self) -> tuple[ExitStack, ForkServerProcess]:
        stack = ExitStack()
        return stack, stack.enter_context(at_work(self._nursery, self._place))
