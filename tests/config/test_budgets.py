"""`[[budgets]]` in signoff.toml: read strictly, applied at start, and at rest when gone."""

import pytest

from bot.config.reading import parse
from engine.ids import DEFAULT_TENANT
from engine.services import budgets, configuration
from engine.store.database import Database

GOOD = """
[[budgets]]
scope = "workflow:refund"
per = "day"
limit = { usd = "1000.00", tokens = 2000000 }
then = "wait"

[tenants.acme]
name = "Acme"

[[tenants.acme.budgets]]
limit = { usd = "5.00" }
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"1000.00"', "1000.0", "no amount of money"),
        ('"1000.00"', '"-1.00"', "is negative"),
        ("tokens", "bananas", "no unit"),
        ('"day"', '"fortnight"', "Possible are hour, day"),
        ("workflow:refund", "all", "no scope"),
        ("then", "than", "Did you mean `then`"),
        ('limit = { usd = "5.00" }', 'per = "day"', "has no limit"),
        ("[[budgets]]", "[budgets]", "write each as [[budgets]]"),
    ],
)
def test_a_budget_that_makes_no_sense_is_named(old: str, new: str, says: str) -> None:
    _, problems = parse(GOOD.replace(old, new, 1).encode())

    assert any(says in problem.text for problem in problems), problems


@pytest.mark.anyio
async def test_the_file_sets_budgets_and_puts_them_to_rest(database: Database) -> None:
    listed, problems = parse(GOOD.encode())
    assert problems == ()

    async def applied(directory: configuration.Directory) -> list[object]:
        await database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, directory))
        rows = await database.read(lambda tx: budgets.listing(tx, DEFAULT_TENANT))
        return [row["scope"] for row in rows]

    assert await applied(listed.directory) == ["workflow:refund"]
    assert await applied(listed.directory) == ["workflow:refund"]
    assert await applied(configuration.Directory()) == []
    assert listed.tenants[0].directory.budgets[0].limits == {"USD": 5_000_000}
