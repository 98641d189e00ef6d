"""Three stories told to the end: what is really done is what people agreed to."""

from pathlib import Path

import pytest

from bot.demo.ledger import LEDGER, booked
from bot.demo.stories import buy_shares, order_lunch, ship_build
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The world of the stories: a folder of its own, whose ledger counts."""
    folder = tmp_path / "world"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder / LEDGER


def told(till: Path) -> list[str]:
    return [done.line for done in booked(till)]


async def test_a_hundred_pizzas_become_ten_and_the_till_counts_120_dollars(
    stage: Stage, till: Path
) -> None:
    run = await stage.start(order_lunch.__name__, people=10, count=100, each="12.00 USD")

    await stage.vote(run, "ana", changes={"count": 10})

    assert told(till) == ["spent on pizzas, 10, 120.00 USD"]
    assert (await stage.picture(run)).row.result == "120.00 USD"


async def test_half_a_trade_loses_half_as_much(stage: Stage, till: Path) -> None:
    run = await stage.start(buy_shares.__name__, shares=1000, price="50.00 USD")

    for person in ("ana", "bo"):
        await stage.vote(run, person, changes={"shares": 500})

    assert told(till) == ["bought, 500, 25000.00 USD", "lost by the fall, 5000.00 USD"]
    assert (await stage.picture(run)).row.status == "completed"


async def test_a_build_is_rejected_undone_mended_and_approved(stage: Stage, till: Path) -> None:
    run = await stage.start(ship_build.__name__, build="7")

    await stage.vote(run, "ana", "reject", comment="The database migration is missing.")
    between = await stage.picture(run)
    await stage.vote(run, "ana")

    first, second = between.approvals
    assert (first.status, second.status) == ("rejected", "open")
    assert "The database migration is missing." in str(second.details["mends"])
    assert (await stage.picture(run)).row.status == "completed"
    assert await stage.is_sound(run)
    assert [done.what for done in booked(till)] == [
        "brought up",
        "brought down",
        "applied migration",
        "brought up",
        "shipped",
    ]
