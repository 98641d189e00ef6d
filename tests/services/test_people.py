"""People are found by what identifies them, and never after they were disabled."""

import pytest

from engine.errors import NotFound
from engine.ids import DEFAULT_TENANT, PersonId, TenantId
from engine.services import people
from engine.store.database import Database
from engine.store.people import IdentityKind
from tests.services.rows import ANA, BO, CHEN, given_company, given_disabled

pytestmark = pytest.mark.anyio

HERE = DEFAULT_TENANT


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("email", "eve@example.com", id="a stranger's address"),
        pytest.param("email", "", id="nothing"),
        pytest.param("email", "ana@example.com ", id="an address with a space"),
        pytest.param("email", "ana@example.com' OR '1'='1", id="SQL"),
        pytest.param("email", "T0123/U0AAA", id="another kind of identity"),
        pytest.param("slack", "U0AAA", id="a Slack user without its team"),
        pytest.param("slack", "t0123/u0aaa", id="a Slack identity in lower case"),
        pytest.param("slack", "T0999/U0AAA", id="the same user id in another team"),
    ],
)
async def test_strangers_are_nobody(database: Database, kind: IdentityKind, value: str) -> None:
    await given_company(database)

    assert await database.read(lambda tx: people.by_identity(tx, HERE, kind, value)) is None


async def test_disabled_people_are_nobody(database: Database) -> None:
    await given_company(database)
    await given_disabled(database, ANA)

    assert await database.read(lambda tx: people.by_email(tx, HERE, "ana@example.com")) is None
    assert (await database.read(lambda tx: people.find(tx, HERE, ANA))).is_active is False


async def test_another_tenant_knows_nobody(database: Database) -> None:
    await given_company(database)
    elsewhere = TenantId("elsewhere")

    assert await database.read(lambda tx: people.by_email(tx, elsewhere, "ana@example.com")) is None
    assert await database.read(lambda tx: people.listing(tx, elsewhere)) == []
    with pytest.raises(NotFound):
        await database.read(lambda tx: people.find(tx, elsewhere, ANA))


async def test_whoever_is_missing_is_named_without_markup(database: Database) -> None:
    with pytest.raises(NotFound, match=r"'\\u202eana'"):
        await database.read(lambda tx: people.find(tx, HERE, PersonId("\u202eana")))


async def test_a_person_is_found_by_every_identity(database: Database) -> None:
    await given_company(database)

    by_mail = await database.read(lambda tx: people.by_email(tx, HERE, " ANA@Example.com"))
    by_slack = await database.read(lambda tx: people.by_identity(tx, HERE, "slack", "T0123/U0AAA"))

    assert by_mail is not None
    assert by_mail == by_slack
    assert (by_mail.id, by_mail.name, by_mail.slack) == (ANA, "Ana Diaz", "T0123/U0AAA")


async def test_several_people_are_read_at_once_and_in_order(database: Database) -> None:
    await given_company(database)

    found = await database.read(lambda tx: people.several(tx, HERE, [CHEN, BO, CHEN]))

    assert [person.id for person in found] == [BO, CHEN]
    assert await database.read(lambda tx: people.several(tx, HERE, [])) == []


async def test_only_active_members_belong(database: Database) -> None:
    await given_company(database)
    await given_disabled(database, CHEN)

    finance = await database.read(lambda tx: people.members_of(tx, HERE, "group", "finance"))

    assert finance == {ANA, BO}
    assert await database.read(lambda tx: people.members_of(tx, HERE, "role", "finance")) == set()


async def test_a_role_ends_with_its_holder(database: Database) -> None:
    await given_company(database)

    assert await database.read(lambda tx: people.holds_role(tx, HERE, ANA, "operator"))
    assert not await database.read(lambda tx: people.holds_role(tx, HERE, BO, "operator"))

    await given_disabled(database, ANA)

    assert not await database.read(lambda tx: people.holds_role(tx, HERE, ANA, "operator"))
