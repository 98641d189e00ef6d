"""What the tests of services begin with: a small company, and an approval to answer."""

from datetime import timedelta

from sqlalchemy import func, insert, select, update

from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, RunId
from engine.rules.states import ApprovalStatus, RunStatus
from engine.services import configuration
from engine.services.configuration import Directory, ListedPerson
from engine.store.database import Database, Transaction
from engine.store.tables import approvals, audit, metadata, people, runs

ANA, BO, CHEN = PersonId("ana"), PersonId("bo"), PersonId("chen")
APPROVAL = ApprovalId("apr_1")

COMPANY = Directory(
    people=(
        ListedPerson(
            id=ANA, name="Ana Diaz", email="ana@example.com", slack="T0123/U0AAA", manager=BO
        ),
        ListedPerson(id=BO, name="Bo Lind", email="bo@example.com"),
        ListedPerson(id=CHEN, name="Chen Wu", email="chen@example.com"),
    ),
    groups={"finance": frozenset({ANA, BO, CHEN})},
    roles={"operator": frozenset({ANA})},
    routes={"default": {"email": ["approvers"]}},
)


async def given_company(database: Database, listed: Directory = COMPANY) -> None:
    await database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed))


async def given_disabled(database: Database, *persons: PersonId) -> None:
    await database.write(
        lambda tx: tx.connection.execute(
            update(people).where(people.c.id.in_(persons)).values(is_active=False)
        )
    )


async def given_approval(database: Database) -> None:
    await database.write(_approval)


async def set_approval(database: Database, **values: object) -> None:
    await database.write(
        lambda tx: tx.connection.execute(
            update(approvals).where(approvals.c.id == APPROVAL).values(values)
        )
    )


async def audited(database: Database) -> list[str]:
    query = select(audit.c.kind).order_by(audit.c.position)
    return await database.read(lambda tx: list(tx.connection.execute(query).scalars()))


async def count(database: Database, table: str) -> int:
    query = select(func.count()).select_from(metadata.tables[table])
    return await database.read(lambda tx: tx.connection.execute(query).scalar_one())


async def everything(database: Database, table: str) -> str:
    query = select(metadata.tables[table])
    return await database.read(lambda tx: str(tx.connection.execute(query).all()))


def _approval(tx: Transaction) -> None:
    run = RunId("run_1")
    tx.connection.execute(
        insert(runs).values(
            id=run, tenant=DEFAULT_TENANT, workflow="refund", workflow_version="1",
            status=RunStatus.WAITING, input="{}", started_by="person:ana", next_position=1, head="",
            created_at=tx.now, updated_at=tx.now,
        )
    )  # fmt: skip
    tx.connection.execute(
        insert(approvals).values(
            id=APPROVAL, tenant=DEFAULT_TENANT, run=run, path="0", status=ApprovalStatus.OPEN,
            version=1, kind="binary", action="refund", title="Refund?", risk="medium", content="{}",
            digest="sha256:0", requester="person:ana", excluded="[]", routing="{}", ladder="[]",
            widened="[]", on_reject="rollback", opened_at=tx.now,
            expires_at=tx.now + timedelta(hours=4),
        )
    )  # fmt: skip
