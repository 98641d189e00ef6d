"""What a step costs in commits, counted: one of its own at most, and two if it is irreversible."""

from datetime import timedelta
from functools import partial

import pytest

from engine.ids import DEFAULT_TENANT, WorkerId
from engine.services import budgets, driving
from engine.services.budgets import Wanted
from signoff import Run, workflow
from tests.durability.flows import do, undo
from tests.durability.scene import Mortal, Scene

pytestmark = pytest.mark.anyio

FEW, MANY = 3, 9


@workflow(name="tests.repeated")
async def repeated(run: Run, kind: str, steps: int) -> None:
    """The same step again and again."""
    for number in range(steps):
        await run.step(
            do,
            "deploy",
            name=f"{number}",
            undo=undo if kind in {"undone", "undone and priced"} else None,
            irreversible=kind == "irreversible",
            cost={"usd": "0.01", "tokens": 5} if kind.endswith("priced") else None,
        )


async def commits(scene: Scene, kind: str, steps: int) -> int:
    """In how many transactions a worker drives a run of so many steps."""
    await scene.start("tests.repeated", kind=kind, steps=steps)
    (claim,) = await scene.database.write(
        partial(
            driving.claim,
            worker=WorkerId("w"),
            workflows=["tests.repeated@1"],
            lease_for=timedelta(hours=1),
            limit=1,
        )
    )
    counting = Mortal(scene.database)
    await scene.executor(counting).drive(claim)
    return counting.writes


@pytest.mark.parametrize(
    ("kind", "most"),
    [("plain", 1), ("priced", 1), ("undone", 1), ("undone and priced", 1), ("irreversible", 2)],
)
async def test_a_step_costs_no_more_commits_than_it_must(
    scene: Scene, kind: str, most: int
) -> None:
    wanted = Wanted(limit={"usd": "99.00", "tokens": 9000}, per="day")
    await scene.database.write(
        lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="person:ana")
    )

    few, many = await commits(scene, kind, FEW), await commits(scene, kind, MANY)

    assert many - few <= most * (MANY - FEW)
