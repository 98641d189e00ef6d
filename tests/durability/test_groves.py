"""Trees of branches and children: whoever dies at whichever deed, they return the same, or are undone whole."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.states import RunStatus
from engine.services import approvals
from engine.services.approvals import Wanted
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability import flows, groves
from tests.durability.conftest import MEMORY
from tests.durability.notes import Notes
from tests.durability.scene import SECRET, Mortal, Scene

pytestmark = pytest.mark.slow

ROUNDS_MAX = 60
LEAVES: st.SearchStrategy[list[Any]] = st.one_of(
    st.tuples(st.just("step"), st.sampled_from(groves.NAMES)).map(list),
    st.tuples(st.just("nap"), st.integers(1, 3)).map(list),
    st.tuples(st.just("ask"), st.sampled_from(("one?", "two?"))).map(list),
)


def _wider(parts: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    plans = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("child"), plans).map(list),
        st.tuples(
            st.just("gather"),
            st.dictionaries(st.sampled_from("abc"), plans, min_size=2, max_size=3),
        ).map(list),
    )


PLANS = st.lists(st.recursive(LEAVES, _wider, max_leaves=8), min_size=1, max_size=3)
BOUNDS = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


async def played(template: Path, plan: groves.Plan, *, every: int, choice: str = "approve") -> None:
    """Play the plan; whoever takes it up after a wait dies, at the deed `every` first, and then at later ones."""
    clock = ManualClock()
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        path = folder / "signoff.db"
        shutil.copyfile(template, path)
        world = Notes(folder, clock)
        async with opened(path, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)) as database:
            scene = Scene(database, clock, world, folder)
            await scene.prepare()
            run = await scene.start("grove", plan=plan)
            await _until_over(scene, run, every=every, choice=choice)
            row = (await scene.picture(run)).row
            await scene.deliver()
            assert scene.violations() == []
        world.close()
        if choice == "approve" or not _asks(plan):
            assert (row.status, row.result) == (RunStatus.COMPLETED, groves.expected(plan))
        else:
            assert row.status is RunStatus.ROLLED_BACK


async def _until_over(scene: Scene, run: RunId, *, every: int, choice: str) -> None:
    for number in range(ROUNDS_MAX):
        await scene.drive(Mortal(scene.database, last=every + number, before=number % 2 == 0))
        if (await scene.picture(run)).row.ended_at is not None:
            return
        asked = await scene.database.read(
            lambda tx: approvals.page(tx, DEFAULT_TENANT, Wanted(status="open"))
        )
        if asked:
            await scene.vote(asked[number % len(asked)].id, "ana", choice)
        else:
            await scene.pass_time(timedelta(minutes=1))
    raise AssertionError("It never came to its end.")


def _asks(plan: groves.Plan) -> bool:
    return '"ask"' in str(plan).replace("'", '"')


@BOUNDS
@given(plan=PLANS, every=st.integers(2, 9))
def test_any_tree_returns_the_same_wherever_its_drivers_die(
    migrated_file: Path, plan: groves.Plan, every: int
) -> None:
    asyncio.run(played(migrated_file, plan, every=every))


@BOUNDS
@given(plan=PLANS, every=st.integers(3, 9))
def test_a_rejection_anywhere_undoes_the_whole_tree(
    migrated_file: Path, plan: groves.Plan, every: int
) -> None:
    asyncio.run(played(migrated_file, plan, every=every, choice="reject"))


def test_a_child_is_started_once_whichever_deed_its_parent_dies_at(migrated_file: Path) -> None:
    plan: groves.Plan = [["step", "migrate"], ["child", [["step", "deploy"], ["ask", "one?"]]]]

    for every in range(1, 8):
        asyncio.run(played(migrated_file, plan, every=every))


@pytest.mark.parametrize("name", groves.NAMES)
def test_what_trees_do_is_watched_by_the_checker(name: str) -> None:
    assert name in flows.STEPS
