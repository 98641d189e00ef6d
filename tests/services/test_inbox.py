"""One's own inbox: what somebody can still decide, of everything that is open, and what is found in it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, PersonId
from engine.services import approvals, rungs
from engine.services.approvals import COUNTED_TO, Nearest, Request
from engine.services.configuration import ListedPerson
from engine.store.answerable import APART_MAX
from engine.store.approvals import ApprovalRow
from engine.store.database import Database
from tests.clock import ManualClock
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


async def asked(
    database: Database, title: str, approvers: object, *, requester: str, **more: Any
) -> ApprovalRow:
    request = Request(
        title=title, action="deploy", approvers=approvers, requester=requester, routes={}, **more
    )
    return await database.write(
        lambda tx: approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
    )


async def inbox(
    database: Database,
    person: PersonId,
    text: str = "",
    *,
    after: str | None = None,
    limit: int = 50,
) -> list[str]:
    part = Nearest(text=text, after=after, limit=limit)
    return await database.read(
        lambda tx: [
            picture.title
            for picture in approvals.drawn(tx, approvals.inbox_of(tx, DEFAULT_TENANT, person, part))
        ]
    )


async def count(database: Database, person: PersonId) -> int:
    return await database.read(lambda tx: approvals.count_of(tx, DEFAULT_TENANT, person))


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


async def test_the_nearest_deadline_comes_first_and_none_last_page_by_page(
    database: Database,
) -> None:
    await given_company(database)
    every = {
        title: await asked(database, title, "person:bo", requester="person:ana", ladder=ladder)
        for title, ladder in {
            "held": ["hold after 3h"],
            "in two": ["reject after 2h"],
            "in one": ["reject after 1h"],
            "held, too": ["hold after 3h"],
            "in two, too": ["reject after 2h"],
        }.items()
    }

    whole = await inbox(database, BO)
    pages = [await inbox(database, BO, limit=2)]
    while pages[-1]:
        pages.append(await inbox(database, BO, after=every[pages[-1][-1]].id, limit=2))

    assert whole == ["in one", "in two", "in two, too", "held", "held, too"]
    assert pages == [whole[:2], whole[2:4], whole[4:], []]
    assert await inbox(database, BO, after="apr_nobody_knows") == whole


async def test_however_many_kinds_there_are_the_nearest_of_all_come_first(
    database: Database,
) -> None:
    others = [PersonId(f"other{number}") for number in range(APART_MAX + 1)]
    listed = (*COMPANY.people, *(ListedPerson(id=each, name=each) for each in others))
    await given_company(database, replace(COMPANY, people=listed))

    for hours, other in enumerate(reversed(others), start=1):
        ladder = [f"reject after {hours}h"]
        title, whom = f"With {other}", f"person:chen,person:{other}"
        await asked(database, title, whom, requester="person:ana", ladder=ladder)
        assert await inbox(database, CHEN, limit=2) == [
            f"With {each}" for each in others[:-3:-1][:hours]
        ]


async def test_whoever_a_rung_adds_finds_it(database: Database, clock: ManualClock) -> None:
    await given_company(database)
    ladder = ["escalate to person:chen after 1h", "reject after 2h"]
    await asked(database, "Ship 4.2", "person:bo", requester="person:ana", ladder=ladder)
    before = await inbox(database, CHEN)

    await clock.advance(timedelta(hours=1))
    await database.write(rungs.fire_due)

    assert (before, await inbox(database, CHEN)) == ([], ["Ship 4.2"])
    assert await inbox(database, BO) == ["Ship 4.2"]


async def test_a_thousand_are_counted_and_no_more(database: Database) -> None:
    await given_company(database)
    request = Request(
        title="Go on?", action="deploy", approvers="person:bo", requester="person:ana", routes={}
    )
    for _hundred in range(11):
        await database.write(
            lambda tx: [
                approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None)
                for _each in range(100)
            ]
        )

    assert await count(database, BO) == COUNTED_TO == 1_000
    assert [approvals.counted(number) for number in (0, 999, 1_000)] == ["0", "999", "1000+"]
    assert await count(database, ANA) == 0
    assert len(await inbox(database, BO)) == 50


async def test_others_named_alike_are_not_left_out_with_somebody(database: Database) -> None:
    alike, other = PersonId("c_en"), PersonId("cheen")
    listed = (*COMPANY.people, *(ListedPerson(id=each, name=each) for each in (alike, other)))
    await given_company(database, replace(COMPANY, people=listed))
    everybody = "person:chen,person:c_en,person:cheen"

    await asked(database, "Of one", everybody, requester="person:chen")
    await asked(database, "Of another", everybody, requester="person:cheen")

    assert await inbox(database, alike) == ["Of one", "Of another"]
    assert await inbox(database, CHEN) == ["Of another"]
    assert await inbox(database, other) == ["Of one"]
