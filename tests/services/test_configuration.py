"""What signoff.toml says is what the store says, and what the API added stays."""

import dataclasses

import pytest
from sqlalchemy import insert, select

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT, PersonId
from engine.services import configuration, people, sign_ins
from engine.services.configuration import Difference, Directory, ListedPerson
from engine.store import tables
from engine.store.database import Database, Transaction
from tests.services.rows import ANA, BO, CHEN, COMPANY, audited, given_company

pytestmark = pytest.mark.anyio

WITHOUT_CHEN = dataclasses.replace(
    COMPANY, people=COMPANY.people[:2], groups={"finance": frozenset({ANA, BO})}
)


async def apply(database: Database, listed: Directory) -> Difference:
    return await database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed))


def dora_by_api(tx: Transaction) -> None:
    tx.connection.execute(
        insert(tables.people).values(
            tenant=DEFAULT_TENANT, id="dora", name="Dora", is_active=True, origin="api"
        )
    )
    tx.connection.execute(
        insert(tables.identities).values(
            tenant=DEFAULT_TENANT,
            kind="email",
            value="dora@example.com",
            person="dora",
            origin="api",
        )
    )
    tx.connection.execute(
        insert(tables.members).values(
            tenant=DEFAULT_TENANT, kind="group", name="finance", person="dora", origin="api"
        )
    )
    tx.connection.execute(
        insert(tables.routings).values(
            tenant=DEFAULT_TENANT, name="night", routing="{}", origin="api"
        )
    )


async def test_an_identity_of_somebody_else_cannot_be_taken(database: Database) -> None:
    await database.write(dora_by_api)
    thief = ListedPerson(id=PersonId("eve"), name="Eve", email="dora@example.com")

    with pytest.raises(Conflict, match="belongs to dora") as refused:
        await apply(database, Directory(people=(thief,)))

    assert refused.value.code == "identity_taken"
    assert [p.id for p in await database.read(lambda tx: people.listing(tx, DEFAULT_TENANT))] == [
        "dora"
    ]


async def test_whoever_is_gone_is_disabled_and_signed_out(database: Database) -> None:
    await given_company(database)
    link = await database.write(
        lambda tx: sign_ins.ask_link(tx, DEFAULT_TENANT, "chen@example.com")
    )
    assert link is not None
    session = await database.write(lambda tx: sign_ins.confirm(tx, link.token))
    assert session is not None

    difference = await apply(database, WITHOUT_CHEN)

    assert difference.removed == ("person:chen", "email of chen", "group:finance/chen")
    assert not (await database.read(lambda tx: people.find(tx, DEFAULT_TENANT, CHEN))).is_active
    await apply(database, COMPANY)
    assert await database.read(lambda tx: sign_ins.session_of(tx, session.token)) is None


async def test_the_address_of_somebody_who_left_may_pass_on(database: Database) -> None:
    await given_company(database)
    heir = ListedPerson(id=PersonId("cleo"), name="Cleo", email="chen@example.com")

    await apply(database, dataclasses.replace(WITHOUT_CHEN, people=(*WITHOUT_CHEN.people, heir)))

    found = await database.read(lambda tx: people.by_email(tx, DEFAULT_TENANT, "chen@example.com"))
    assert found is not None
    assert found.id == "cleo"


async def test_two_people_may_swap_their_addresses(database: Database) -> None:
    ana, bo, chen = COMPANY.people
    await given_company(database)
    swapped = (
        dataclasses.replace(ana, email=bo.email),
        dataclasses.replace(bo, email=ana.email),
        chen,
    )

    difference = await apply(database, dataclasses.replace(COMPANY, people=swapped))

    assert difference.added == difference.removed == ()
    found = await database.read(lambda tx: people.by_email(tx, DEFAULT_TENANT, "ana@example.com"))
    assert found is not None
    assert found.id == BO


async def test_what_the_api_added_stays(database: Database) -> None:
    await database.write(dora_by_api)

    await apply(database, COMPANY)
    await apply(database, Directory())

    dora = await database.read(lambda tx: people.by_email(tx, DEFAULT_TENANT, "dora@example.com"))
    assert dora is not None
    finance = await database.read(
        lambda tx: people.members_of(tx, DEFAULT_TENANT, "group", "finance")
    )
    assert finance == {"dora"}
    names = select(tables.routings.c.name)
    assert await database.read(lambda tx: list(tx.connection.execute(names).scalars())) == ["night"]


async def test_the_same_file_again_changes_nothing(database: Database) -> None:
    first = await apply(database, COMPANY)

    again = await apply(database, COMPANY)

    assert not first.is_empty
    assert again.is_empty
    assert await audited(database) == ["configuration.applied"]


async def test_each_kind_of_change_is_told(database: Database) -> None:
    await given_company(database)
    ana, bo, chen = COMPANY.people
    listed = Directory(
        people=(dataclasses.replace(ana, name="Ana D."), bo, chen),
        groups=COMPANY.groups,
        roles={"operator": frozenset({BO})},
        routes={"default": {"slack": ["dm"]}, "operators": {"email": ["ana"]}},
    )

    difference = await apply(database, listed)

    assert difference == Difference(
        added=("role:operator/bo", "routes.operators"),
        changed=("person:ana", "routes.default"),
        removed=("role:operator/ana",),
    )
