"""The hot statements find their rows by an index, with ten thousand others beside them."""

import sqlite3
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from engine.clock import micros
from engine.ids import DEFAULT_TENANT, ApprovalId, LeaseToken, PersonId, RunId, SystemIds, WorkerId
from engine.services import (
    approvals,
    configuration,
    deliveries,
    driving,
    rungs,
    runs,
    tending,
    watching,
)
from engine.services.approvals import Wanted
from engine.services.configuration import Directory, ListedPerson
from engine.store import agreement, answerable, kept_runs, overdue, votes
from engine.store import approvals as approval_rows
from engine.store.answerable import Nearest
from engine.store.database import Transaction
from engine.store.open_cap import OpenCap
from engine.store.overdue import Late
from engine.store.sqlite import SqliteDatabase, opened
from engine.store.tables import approvals as approval_table
from engine.store.tables import messages as message_rows
from engine.store.tables import runs as run_table
from engine.store.tables import timers as timer_rows
from engine.tokens import Tokens
from tests.clock import NOON, ManualClock

pytestmark = pytest.mark.anyio

MANY = 10_000
BIG = {"approvals", "journal", "messages", "outbox", "runs", "timers", "votes"}


@dataclass
class Statements:
    """Everything one deed executes, with what SQLite plans to do."""

    plans: list[tuple[str, list[str]]] = field(default_factory=list)

    def of(self, deed: Callable[[Transaction], Any], tx: Transaction) -> None:
        """Do the deed and keep its statements' plans."""
        driver = _driver(tx.connection)
        asked: list[str] = []
        driver.set_trace_callback(asked.append)
        try:
            deed(tx)
        finally:
            driver.set_trace_callback(None)
        for statement in asked:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                rows = driver.execute(f"EXPLAIN QUERY PLAN {statement}")
                self.plans.append((statement, [row[3] for row in rows]))

    @property
    def scans(self) -> list[str]:
        """Where a table that grows is read from one end to the other."""
        return [
            f"{step}: {statement}"
            for statement, plan in self.plans
            for step in plan
            if step.startswith("SCAN") and "USING" not in step and set(step.split()) & BIG
        ]

    def uses(self, index: str) -> bool:
        """Whether some statement finds its rows by this index."""
        return any(index in step for _statement, plan in self.plans for step in plan)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@pytest.fixture(scope="module")
def full_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten thousand waiting runs with an open approval each, its timer, vote, message and delivery."""
    path = tmp_path_factory.mktemp("full") / "signoff.db"
    path.write_bytes(migrated_file.read_bytes())
    connection = sqlite3.connect(path)
    for table, row in rows(0).items():
        columns = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        many = (rows(number)[table] for number in range(MANY))
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", many)
    connection.commit()
    connection.close()
    return path


def rows(number: int) -> dict[str, dict[str, object]]:
    """One run with all that belongs to it; every hundredth is due."""
    then, later = micros(NOON - timedelta(hours=1)), micros(NOON + timedelta(days=1))
    due = then if number % 100 == 0 else None
    run, apr = f"run_{number:05}", f"apr_{number:05}"
    own: dict[str, object] = {"tenant": DEFAULT_TENANT}
    content = (
        '{"action":"a","approvers":["person:ana"],"call":null,"details":{},"form":null,'
        '"policy":{"allow_self":false,"comment":"optional","ladder":["reject after 1d"],'
        '"quorum":{"groups":[],"need":1,"reject":1},"risk":"medium"},'
        '"tenant":"default","title":"t"}'
    )
    return {
        "runs": {
            "id": run, **own, "workflow": "w", "workflow_version": "1", "status": "running",
            "input": "{}", "started_by": "key:a", "next_position": 1, "head": "",
            "ready_at": due, "created_at": then + number, "updated_at": then,
        },
        "journal": {
            **own, "run": run, "position": 0, "kind": "run.created", "data": "{}", "at": then,
            "previous": "", "hash": "",
        },
        "approvals": {
            "id": apr, **own, "run": run, "path": "0", "status": "open" if number % 2 else "approved",
            "version": 1, "kind": "binary", "action": "a", "title": "t", "risk": "medium",
            "content": content, "digest": "", "requester": "workflow:w", "excluded": "[]",
            "routing": "{}", "ladder": '["reject after 1d"]', "widened": "[]",
            "on_reject": "rollback", "opened_at": then + number, "expires_at": later,
        },
        "votes": {
            "id": f"vot_{number}", **own, "approval": apr, "version": 1, "sequence": 1,
            "person": "ana", "choice": "abstain", "digest": "", "channel": "web",
            "identified_by": "session", "is_late": 0, "is_current": 1, "at": then,
        },
        "timers": {
            "id": f"tmr_{number}", **own, "approval": apr, "rung": 0, "due_at": due or later,
            "cancelled_at": then,
        },
        "messages": {
            "id": f"msg_{number}", **own, "approval": apr, "channel": "email",
            "address": "ana@example.com", "serial": 1, "state": "posted", "shown_version": 1,
        },
        "outbox": {
            "id": f"dlv_{number:05}", **own, "message": f"msg_{number}", "channel": "email",
            "address": "ana@example.com", "kind": "update", "event": "approval.updated",
            "payload": "{}", "event_at": then, "due_at": due or later, "attempts": 0,
            "status": "pending" if due else "sent", "created_at": then,
        },
    }  # fmt: skip


@pytest.fixture
async def full(
    full_file: Path, tmp_path: Path, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> AsyncGenerator[SqliteDatabase]:
    path = tmp_path / "full.db"
    path.write_bytes(full_file.read_bytes())
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        yield database


def fire_many(tx: Transaction) -> None:
    """Sixty approvals that nobody decided, and their time is over."""
    ends = [f"apr_{number:05}" for number in range(1, 121, 2)]
    armed = update(timer_rows).where(timer_rows.c.approval.in_(ends))
    tx.connection.execute(armed.values(due_at=NOON, cancelled_at=None))
    waiting = update(run_table).where(run_table.c.id.in_([f"run_{end[4:]}" for end in ends]))
    tx.connection.execute(waiting.values(status="waiting", reason="approval"))
    pictured = update(message_rows).where(message_rows.c.approval.in_(ends))
    tx.connection.execute(pictured.values(channel="webhook"))
    assert rungs.fire_due(tx) == len(ends)
    status = select(approval_table.c.status).where(approval_table.c.id.in_(ends))
    assert set(tx.connection.execute(status).scalars()) == {"expired"}


LATE = Late(name="late", after=timedelta(hours=4), workflow=None, window=timedelta(hours=4))
HOT = {
    "claiming ready runs": (
        lambda tx: driving.claim(
            tx, worker=WorkerId("w"), workflows=["w@1"], lease_for=timedelta(1), limit=32
        ),
        "ix_runs_ready",
    ),
    "keeping leases": (
        lambda tx: tending.renew(
            tx, {RunId("run_00001"): LeaseToken("t")}, lease_for=timedelta(1)
        ),
        "sqlite_autoindex_runs",
    ),
    "firing due rungs": (rungs.fire_due, "ix_timers_due"),
    "firing many at one instant": (fire_many, "ix_timers_approval"),
    "when the next rung is due": (rungs.due_in, "ix_timers_due"),
    "claiming due deliveries": (
        lambda tx: deliveries.claim(tx, "email", limit=8, lease_for=timedelta(1)),
        "ix_outbox_lanes",
    ),
    "claiming orphaned deliveries": (
        lambda tx: deliveries.claim_orphans(tx, ["email"], limit=8, lease_for=timedelta(1)),
        "ix_outbox_due",
    ),
    "one approval": (
        lambda tx: approval_rows.get(tx, DEFAULT_TENANT, "apr_00007"),
        "sqlite_autoindex_approvals",
    ),
    "the picture of one approval": (
        lambda tx: approvals.picture(tx, DEFAULT_TENANT, "apr_00007"),
        "sqlite_autoindex_votes",
    ),
    "a page of open approvals": (
        lambda tx: approvals.page(tx, DEFAULT_TENANT, Wanted(status="open", limit=10)),
        "ix_approvals_page",
    ),
    "the next page": (
        lambda tx: approval_rows.page(
            tx, DEFAULT_TENANT, Wanted(status="open", before="apr_05001", limit=10)
        ),
        "ix_approvals_page",
    ),
    "one's own inbox": (
        lambda tx: answerable.nearest(tx, DEFAULT_TENANT, PersonId("ana"), Nearest(limit=50)),
        "ix_approvals_whom",
    ),
    "how many one has open": (
        lambda tx: OpenCap(1_000).demand(tx, DEFAULT_TENANT, "key:agent"),
        "USING COVERING INDEX ix_approvals_asked_by",
    ),
    "how many one may decide": (
        lambda tx: answerable.count(tx, DEFAULT_TENANT, PersonId("ana"), most=1_000),
        "USING COVERING INDEX ix_approvals_whom",
    ),
    "the votes of one approval": (
        lambda tx: votes.current(tx, ApprovalId("apr_00007"), 1),
        "votes",
    ),
    "a page of runs": (
        lambda tx: runs.page(tx, DEFAULT_TENANT, limit=10),
        "ix_runs_page",
    ),
    "runs whose approval is overdue": (
        lambda tx: overdue.waiting(tx, DEFAULT_TENANT, [LATE], after=None),
        "ix_approvals_page (tenant=? AND status=? AND opened_at<?)",
    ),
    "runs whose record is verified": (
        lambda tx: kept_runs.stored(tx, DEFAULT_TENANT, after="run_05000", limit=50),
        "sqlite_autoindex_runs_1 (id>?)",
    ),
    "what is compared with their journals": (
        lambda tx: agreement.stored(tx, DEFAULT_TENANT, ["run_00007", "run_00008"]),
        "sqlite_autoindex_approvals_2 (run=?)",
    ),
    "the journal of one run": (
        lambda tx: runs.entries(tx, DEFAULT_TENANT, RunId("run_00007"), after=-1, limit=50),
        "PRIMARY KEY (run=? AND position>?)",
    ),
    "a tenant's news": (
        lambda tx: watching.look(tx, DEFAULT_TENANT, since=NOON),
        "ix_journal_news",
    ),
    "the news of one run": (
        lambda tx: watching.of_run(tx, RunId("run_00007"), after=0),
        "PRIMARY KEY (run=? AND position>?)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOT)
async def test_it_is_found_by_its_index(full: SqliteDatabase, what: str) -> None:
    deed, index = HOT[what]
    statements = Statements()

    await full.write(lambda tx: statements.of(deed, tx))

    assert statements.scans == []
    assert statements.uses(index), statements.plans


async def test_of_all_that_are_open_only_a_page_of_ones_own_is_sorted(full: SqliteDatabase) -> None:
    statements = Statements()
    who = Directory(people=(ListedPerson(id=PersonId("ana"), name="Ana"),))
    inbox, _index = HOT["one's own inbox"]

    await full.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, who))
    await full.write(lambda tx: statements.of(inbox, tx))

    (plan,) = [steps for _statement, steps in statements.plans if _sorts(steps)]
    assert sum("(id=?)" in step for step in plan) == len(_sorts(plan)) == 1, plan


def _sorts(plan: list[str]) -> list[str]:
    return [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
