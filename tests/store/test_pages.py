"""Pages of approvals and runs: what is wanted, newest first, each once, whatever lies between."""

from collections.abc import Callable

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import approvals, runs
from engine.services.approvals import Request
from engine.store.approvals import Wanted
from engine.store.database import Transaction
from engine.store.runs import NewRun
from engine.store.sqlite import SqliteDatabase
from tests.api.desk import given_company

pytestmark = pytest.mark.anyio

ENDED = ("approved", "rejected", "expired", "cancelled", "changes_requested")


def asked(title: str, *, is_over: bool) -> Callable[[Transaction], None]:
    def deed(tx: Transaction) -> None:
        request = Request(title=title, action="refund", approvers="group:finance")
        row = approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
        if is_over:
            runs.cancel(tx, DEFAULT_TENANT, row.run, by="local", reason="Enough.")

    return deed


def started(workflow: str) -> Callable[[Transaction], RunId]:
    def deed(tx: Transaction) -> RunId:
        new = NewRun(
            id=RunId(tx.ids.new("run")),
            tenant=DEFAULT_TENANT,
            workflow=workflow,
            version="1",
            input={},
            started_by="local",
        )
        return runs.start(tx, new)

    return deed


def found(tx: Transaction, wanted: Wanted) -> list[str]:
    return [each.title for each in approvals.page(tx, DEFAULT_TENANT, wanted)]


async def test_no_state_is_no_approval(database: SqliteDatabase) -> None:
    await given_company(database)
    await database.write(asked("Open", is_over=False))

    assert await database.read(lambda tx: found(tx, Wanted(status=()))) == []


async def test_several_states_are_one_list_in_pages(database: SqliteDatabase) -> None:
    await given_company(database)
    for number in range(7):
        await database.write(asked(str(number), is_over=number % 2 == 0))

    def pages(tx: Transaction) -> tuple[list[str], list[str]]:
        first = approvals.page(tx, DEFAULT_TENANT, Wanted(status=ENDED, limit=3))
        rest = Wanted(status=ENDED, before=first[-1].id, limit=3)
        return [each.title for each in first], found(tx, rest)

    both = Wanted(status=("open", "cancelled"))
    assert await database.read(pages) == (["6", "4", "2"], ["0"])
    assert await database.read(lambda tx: found(tx, both)) == list("6543210")


@pytest.mark.parametrize(
    ("text", "workflows"),
    [("REFUND", ["refund-fast", "refund"]), ("d_f", ["d_f"]), ("%", []), ("", None)],
)
async def test_runs_are_found_by_a_part_of_their_name(
    database: SqliteDatabase, text: str, workflows: list[str] | None
) -> None:
    every = ["refund", "deploy", "refund-fast", "d_f"]
    for workflow in every:
        await database.write(started(workflow))

    page = await database.read(lambda tx: runs.page(tx, DEFAULT_TENANT, text=text, limit=3))

    assert [row.workflow for row in page] == (every[:0:-1] if workflows is None else workflows)


async def test_a_run_is_found_by_its_id_among_newer_ones(database: SqliteDatabase) -> None:
    wanted = await database.write(started("first"))
    for _ in range(9):
        await database.write(started("others"))

    page = await database.read(lambda tx: runs.page(tx, DEFAULT_TENANT, text=wanted, limit=1))

    assert [row.id for row in page] == [wanted]
