"""Approver expressions mean active people, each once, at the moment they are asked for."""

import pytest

from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT, PersonId
from engine.rules.approvers import parse_approvers
from engine.store import electorates
from engine.store.database import Database
from tests.services.rows import ANA, BO, CHEN, given_company, given_disabled

pytestmark = pytest.mark.anyio


async def resolved(
    database: Database,
    written: str,
    *,
    requester: PersonId | None = None,
    strict: bool = True,
) -> frozenset[PersonId]:
    approvers = parse_approvers(written)
    return await database.read(
        lambda tx: electorates.resolve(
            tx, DEFAULT_TENANT, approvers, requester=requester, strict=strict
        )
    )


async def included(
    database: Database, written: str, person: PersonId, *, requester: PersonId | None
) -> bool:
    approvers = parse_approvers(written)
    return await database.read(
        lambda tx: electorates.includes(tx, DEFAULT_TENANT, approvers, person, requester=requester)
    )


@pytest.mark.parametrize(
    "written",
    [
        "person:eve",
        "group:nobody",
        "role:nobody",
        "group:operator",
        "email:eve@example.com",
        "slack:T0123/U0ZZZ",
        "manager_of:requester",
    ],
)
async def test_unknown_approvers_are_refused_unless_they_are_to_be_ignored(
    database: Database, written: str
) -> None:
    await given_company(database)

    with pytest.raises(Invalid, match=written) as refused:
        await resolved(database, f"person:bo,{written}")

    assert refused.value.code == "unknown_approver"
    assert await resolved(database, f"person:bo,{written}", strict=False) == {BO}


async def test_all_unknown_approvers_are_named_at_once(database: Database) -> None:
    await given_company(database)

    with pytest.raises(Invalid, match="person:eve, group:void"):
        await resolved(database, "person:eve,person:ana,group:void")


async def test_somebody_without_a_manager_has_none(database: Database) -> None:
    await given_company(database)

    with pytest.raises(Invalid, match="manager_of:requester"):
        await resolved(database, "manager_of:requester", requester=BO)
    assert await resolved(database, "manager_of:requester", requester=ANA) == {BO}


async def test_disabled_people_are_known_and_mean_nobody(database: Database) -> None:
    await given_company(database)
    await given_disabled(database, ANA, BO)

    everything = "person:ana,group:finance,email:bo@example.com,role:operator,slack:T0123/U0AAA"

    assert await resolved(database, everything) == {CHEN}
    assert await resolved(database, "manager_of:requester", requester=ANA) == frozenset()


async def test_each_person_is_meant_once_however_often_they_are_named(
    database: Database,
) -> None:
    await given_company(database)

    everything = "person:ana,email:ana@example.com,slack:T0123/U0AAA,role:operator,group:finance"

    assert await resolved(database, everything) == {ANA, BO, CHEN}
    assert await resolved(database, "email:ana@example.com,slack:T0123/U0AAA") == {ANA}


async def test_nobody_named_means_nobody(database: Database) -> None:
    found = await database.read(
        lambda tx: electorates.resolve(tx, DEFAULT_TENANT, (), requester=None)
    )

    assert found == frozenset()


@pytest.mark.parametrize("person", [ANA, BO, CHEN, PersonId("eve")])
@pytest.mark.parametrize("requester", [None, ANA, BO])
async def test_one_person_is_judged_as_all_are(
    database: Database, person: PersonId, requester: PersonId | None
) -> None:
    await given_company(database)
    await given_disabled(database, CHEN)

    for written in (
        "person:ana", "person:chen", "person:eve", "group:finance", "role:operator", "group:void",
        "email:bo@example.com", "slack:T0123/U0AAA", "manager_of:requester", "person:bo,role:operator",
    ):  # fmt: skip
        everybody = await resolved(database, written, requester=requester, strict=False)
        alone = await included(database, written, person, requester=requester)
        assert alone == (person in everybody), written
