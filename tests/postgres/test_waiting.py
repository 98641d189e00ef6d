"""What is due is asked in two ways, of rows and of PostgreSQL's functions: both give the same, whatever is there."""

import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from sqlalchemy import Table, insert

from engine.ids import DEFAULT_TENANT, SystemIds, TenantId, WorkerId
from engine.rules.suspicion import ANYBODY, Tries
from engine.store import dispatching, leases, tables, timers
from engine.store.database import Database, Transaction
from engine.store.postgres import Surroundings, opened_on
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.fixtures import APP_ROLE, Postgres
from tests.postgres.server import USER

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

Answer: TypeAlias = Sequence[object]
Question: TypeAlias = Callable[[Transaction], Answer]
Row: TypeAlias = Mapping[str, Any]

ACME, RESTING, UNHEARD_OF = (TenantId(name) for name in ("acme", "resting", "unheard-of"))
TENANTS: Final = (DEFAULT_TENANT, ACME, RESTING, UNHEARD_OF)
AROUND: Final = (-1, 0, 1)  # microseconds from now
LEASES: Final = (None, *AROUND)
LEASE: Final = timedelta(minutes=1)


@pytest.fixture
async def databases(
    postgres: Postgres, migrated_file: Path, tmp_path: Path, clock: ManualClock
) -> AsyncGenerator[Mapping[str, Database]]:
    """The same rows in a file, where PostgreSQL's policies do not hold, and where they do."""
    file, ids, tokens = tmp_path / "signoff.db", SystemIds(), Tokens(b"x" * 32)
    shutil.copyfile(migrated_file, file)
    around = Surroundings(ids=ids, tokens=tokens, clock=clock)
    async with AsyncExitStack() as stack:
        found: dict[str, Database] = {
            "file": await stack.enter_async_context(
                opened(file, clock=clock, ids=ids, tokens=tokens)
            )
        }
        for role in (USER, APP_ROLE):
            url = stack.enter_context(postgres.fresh(role=role))
            found[role] = await stack.enter_async_context(opened_on(url, around))
        for database in found.values():
            await database.write(planted)
        yield found


def planted(tx: Transaction) -> None:
    for number, tenant in enumerate((ACME, RESTING)):
        row = {"id": tenant, "name": tenant, "is_active": not number, "origin": "api"}
        _put(tx, tables.tenants, [{**row, "created_at": tx.now}])
    for tenant in TENANTS:
        tx.act_for(tenant)
        _put(tx, tables.runs, [run(tx, tenant, *each) for each in enumerate(product(*_OF_RUNS))])
        _put(tx, tables.approvals, [approval(tx, tenant)])
        rungs = enumerate(product(*_OF_RUNGS))
        _put(tx, tables.timers, [rung(tx, tenant, *each) for each in rungs])
        alone = enumerate(product(*_OF_DELIVERIES))
        _put(tx, tables.outbox, [delivery(tx, tenant, *each) for each in alone])
        pairs = enumerate(product(*_OF_PAIRS))
        _put(tx, tables.outbox, [row for each in pairs for row in pair(tx, tenant, *each)])


_OF_RUNS: Final = (LEASES, LEASES, (0, 1, 3), ("1", "2"))
_OF_RUNGS: Final = (AROUND, (None, 0), (None, 0))
_OF_DELIVERIES: Final = (AROUND, LEASES, ("email", "slack"), ("a", "b"), ("pending", "dead"))
_OF_PAIRS: Final = (AROUND, (0, 1), ("pending", "sent"))


def run(tx: Transaction, tenant: TenantId, number: int, given: Sequence[Any]) -> Row:
    ready, lease, tries, version = given
    moments = {"created_at": tx.now, "updated_at": tx.now, "ended_at": None}
    held = {"lease_token": "x", "lease_holder": "x", "lease_expires_at": at(tx, lease)}
    return {
        "id": f"run_{tenant}_{number:03}", "tenant": tenant, "workflow": "w", "workflow_version": version,
        "status": "running", "input": "{}", "started_by": "local", "next_position": 0, "head": "",
        "ready_at": at(tx, ready), "tries": tries, **held, **moments,
    }  # fmt: skip


def approval(tx: Transaction, tenant: TenantId) -> Row:
    texts = dict.fromkeys(
        ("path", "kind", "action", "title", "risk", "content", "digest", "requester", "excluded",
         "routing", "ladder", "widened", "on_reject"), "",
    ) | {"content": "{}"}  # fmt: skip
    run = f"run_{tenant}_000"
    return {
        **texts, "id": f"apr_{tenant}", "tenant": tenant, "run": run, "status": "open", "version": 1,
        "opened_at": tx.now,
    }  # fmt: skip


def rung(tx: Transaction, tenant: TenantId, number: int, given: Sequence[Any]) -> Row:
    due, fired, cancelled = given
    return {
        "id": f"tmr_{tenant}_{number:02}", "tenant": tenant, "approval": f"apr_{tenant}", "rung": number,
        "due_at": at(tx, due), "fired_at": at(tx, fired), "cancelled_at": at(tx, cancelled),
    }  # fmt: skip


def delivery(
    tx: Transaction, tenant: TenantId, number: int, given: Sequence[Any], **more: Any
) -> Row:
    due, lease, channel, address, status = given
    return {
        "id": f"dlv_{tenant}_{number:03}", "tenant": tenant, "message": None, "channel": channel,
        "address": address, "kind": "tell", "event": "x", "payload": "{}", "event_at": tx.now,
        "due_at": at(tx, due), "attempts": 0, "status": status, "lease_token": None,
        "lease_expires_at": at(tx, lease), "created_at": tx.now, **more,
    }  # fmt: skip


def pair(tx: Transaction, tenant: TenantId, number: int, given: Sequence[Any]) -> list[Row]:
    """Two deliveries of one message: the second waits for the first, unless that is over."""
    due, later, status = given
    ids = [{"id": f"dlv_{tenant}_{number:03}{each}", "message": f"msg_{number}"} for each in "pq"]
    first = delivery(tx, tenant, number, (due, None, "email", "a", status), **ids[0])
    second = (-1, None, "email", "a", "pending")
    return [first, delivery(tx, tenant, number, second, **ids[1], created_at=at(tx, later))]


def at(tx: Transaction, micros: int | None) -> Any:
    return None if micros is None else tx.now + timedelta(microseconds=micros)


def _put(tx: Transaction, table: Table, rows: Sequence[Row]) -> None:
    tx.connection.execute(insert(table), [dict(row) for row in rows])


def ready(limit: int, tries: Tries = ANYBODY) -> Question:
    def asked(tx: Transaction) -> Answer:
        claims = leases.claim(
            tx, worker=WorkerId("w"), workflows=["w@1"], lease_for=LEASE, limit=limit, tries=tries
        )
        return [each.run.id for each in claims]

    return asked


def suspects(tx: Transaction) -> Answer:
    return sorted(leases.suspects(tx, workflows=["w@1", "w@3"]))


def rungs(tx: Transaction) -> Answer:
    due = timers.take_due(tx, limit=999)
    assert [each.due_at for each in due] == sorted(each.due_at for each in due)
    return sorted(each.id for each in due)


def deliveries(limit: int, *resting: str) -> Question:
    def asked(tx: Transaction) -> Answer:
        taken = dispatching.claim(tx, "email", limit=limit, lease_for=LEASE, resting=resting)
        return [each.id for each in taken]

    return asked


def orphans(tx: Transaction) -> Answer:
    return [each.id for each in dispatching.claim_orphans(tx, ["email"], limit=50, lease_for=LEASE)]


@pytest.mark.parametrize(
    "asked",
    [
        [ready(7), ready(999), ready(999)],
        [ready(999, Tries(low=1, high=2)), ready(999, Tries(low=0, high=0))],
        [suspects],
        [rungs, rungs],
        [deliveries(5), deliveries(999), deliveries(999)],
        [deliveries(5, "a"), deliveries(999, "b"), orphans],
    ],
    ids=["ready", "tried before", "suspects", "rungs", "deliveries", "at rest and orphans"],
)
async def test_however_it_is_asked_the_same_is_due(
    asked: Sequence[Question], databases: Mapping[str, Database]
) -> None:
    answers = {
        name: [await database.write(question) for question in asked]
        for name, database in databases.items()
    }

    assert answers["file"][0]
    assert not [each for each in answers["file"][0] if RESTING in str(each)]
    assert answers[USER] == answers["file"]
    assert answers[APP_ROLE] == answers["file"]
