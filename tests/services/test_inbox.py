"""One's own inbox: what somebody can still decide, of everything that is open, and what is found in it."""

from dataclasses import replace

import pytest

from engine.ids import DEFAULT_TENANT, PersonId
from engine.services import approvals
from engine.services.approvals import Request
from engine.services.configuration import ListedPerson
from engine.store.database import Database, Transaction
from tests.services.rows import ANA, BO, CHEN, COMPANY, given_company

pytestmark = pytest.mark.anyio

# Ana's manager is Bo, and Bo's is Chen.
CLIMBING = replace(
    COMPANY,
    people=tuple(
        ListedPerson(id=each.id, name=each.name, manager={ANA: BO, BO: CHEN}.get(each.id))
        for each in COMPANY.people
    ),
)


async def asked(database: Database, title: str, approvers: object, *, requester: str) -> None:
    request = Request(
        title=title, action="deploy", approvers=approvers, requester=requester, routes={}
    )
    await database.write(
        lambda tx: approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
    )


async def inbox(database: Database, person: PersonId, text: str = "") -> list[str]:
    def query(tx: Transaction) -> list[str]:
        own = approvals.inbox_of(tx, DEFAULT_TENANT, person)
        found = approvals.that_say(tx, DEFAULT_TENANT, own, text)
        return [picture.title for picture in approvals.drawn(tx, found)]

    return await database.read(query)


async def test_nobody_is_asked_what_they_ask_themselves(database: Database) -> None:
    await given_company(database, CLIMBING)

    await asked(database, "Of Ana", "group:finance", requester="person:ana")
    await asked(database, "Of Bo", "group:finance", requester="person:bo")

    assert await inbox(database, ANA) == ["Of Bo"]
    assert await inbox(database, CHEN) == ["Of Ana", "Of Bo"]


async def test_each_requester_has_a_manager_of_their_own(database: Database) -> None:
    await given_company(database, CLIMBING)

    await asked(database, "Of Ana", "manager_of:requester", requester="person:ana")
    await asked(database, "Of Bo", "manager_of:requester", requester="person:bo")

    assert await inbox(database, BO) == ["Of Ana"]
    assert await inbox(database, CHEN) == ["Of Bo"]


async def test_it_is_searched_by_title_and_by_who_asks(database: Database) -> None:
    await given_company(database, CLIMBING)
    await asked(database, "Ship 4.2", "person:chen", requester="person:ana")
    await asked(database, "Refund", "person:chen", requester="person:bo")

    assert await inbox(database, CHEN, "ship") == ["Ship 4.2"]
    assert await inbox(database, CHEN, "bo lind") == ["Refund"]
    assert await inbox(database, CHEN, "nothing") == []
