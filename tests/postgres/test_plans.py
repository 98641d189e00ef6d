"""One's own list on PostgreSQL: a page of it is found in the index, and nothing else is read or sorted."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from sqlalchemy import event, text

from engine.ids import DEFAULT_TENANT, PersonId
from engine.services import approvals, configuration
from engine.services.approvals import Request
from engine.services.configuration import Directory, ListedPerson
from engine.store import answerable, copies
from engine.store.answerable import Nearest
from engine.store.approvals import ApprovalRow
from engine.store.database import Database, Transaction
from engine.store.postgres import PostgresDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

ANA: Final = PersonId("ana")
KINDS: Final = ("group:finance", "person:ana", "person:bo")  # whom the approvals ask
EACH, PAGE = 1_200, 20  # approvals of each kind, and how many of them are shown


def known(tx: Transaction) -> None:
    """There are two people, and a group."""
    people = tuple(ListedPerson(id=PersonId(name), name=name.title()) for name in ("ana", "bo"))
    groups = {"finance": frozenset(each.id for each in people)}
    configuration.apply(tx, DEFAULT_TENANT, Directory(people=people, groups=groups))


def asked(tx: Transaction) -> None:
    """Many are asked many things."""
    for kind in KINDS:
        request = Request(
            title="Go?", action="go", approvers=kind, ladder=["reject after 4h"], routes={}
        )
        row = approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
        copies.multiply(tx, row.run, EACH)


@pytest.fixture
async def full(shared: PostgresDatabase) -> Database:
    ours = shared.of(DEFAULT_TENANT)
    await ours.write(known)
    await ours.write(asked)
    await ours.write(lambda tx: tx.connection.execute(text("ANALYZE")))
    return ours


def planned(deed: Callable[[Transaction], object], tx: Transaction) -> list[dict[str, Any]]:
    """What the server did for each statement of the deed that reads approvals: its plan, with all rows counted."""
    told: list[tuple[str, Any]] = []

    def note(
        _connection: object, _cursor: object, statement: str, given: object, *_: object
    ) -> None:
        told.append((statement, given))

    connection = tx.connection
    event.listen(connection, "before_cursor_execute", note)
    deed(tx)
    event.remove(connection, "before_cursor_execute", note)
    explained = (
        connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", given)
        for statement, given in told
        if "FROM approvals" in statement
    )
    return [found[0]["Plan"] for each in explained for found in each.scalars()]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def met(node: dict[str, Any]) -> float:
    """How many rows a node gave or threw away."""
    return float(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    )


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_page_of_ones_own_is_read_and_sorted_and_nothing_else(
    full: Database, is_first: bool
) -> None:
    def page(tx: Transaction, after: str | None = None) -> list[ApprovalRow]:
        return answerable.nearest(tx, DEFAULT_TENANT, ANA, Nearest(limit=PAGE, after=after))

    first = await full.write(page)
    after = None if is_first else first[-1].id
    plans = await full.write(lambda tx: planned(lambda tx: page(tx, after), tx))

    found = [node for plan in plans for node in nodes(plan)]
    assert len(first) == PAGE
    assert any(node.get("Index Name") == "ix_approvals_whom" for node in found)
    assert [node for node in found if node["Node Type"] == "Seq Scan"] == []
    assert max(map(met, found)) <= 2 * PAGE + 1, plans
