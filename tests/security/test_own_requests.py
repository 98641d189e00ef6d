"""Nobody approves what they asked, under whatever identity they asked it."""

from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT
from engine.services import configuration
from engine.services.configuration import Directory
from engine.services.keys import Scope
from tests.api.desk import ANA, ASKED, BO, CHEN, COMPANY, DANA, Desk, Known, code

pytestmark = pytest.mark.anyio

OPERATING_ANA = Directory(
    people=COMPANY.people,
    groups=COMPANY.groups,
    roles={"operator": frozenset({ANA, DANA})},
    routes={},
)


async def voted(by: Known, approval: dict[str, Any], version: int = 1) -> tuple[int, str]:
    votes = f"/api/approvals/{approval['id']}/votes"
    answer = await by.post(votes, {"choice": "approve", "version": version})
    return (200, "") if answer.status_code == 200 else code(answer)


async def given_ana_operates(desk: Desk) -> Known:
    await desk.application.database.write(
        lambda tx: configuration.apply(tx, DEFAULT_TENANT, OPERATING_ANA)
    )
    return await desk.person(ANA)


async def test_whoever_rewrites_a_request_does_not_approve_their_own_words(desk: Desk) -> None:
    ana, key = await given_ana_operates(desk), await desk.key()
    asked = (await key.post("/api/approvals", ASKED)).json()

    edited = await ana.send("PATCH", asked["status_url"], json={"details": {"amount": "9999"}})

    assert edited.json()["version"] == 2
    assert await voted(ana, asked, 2) == (403, "not_eligible")
    assert await voted(await desk.person(BO), asked, 2) == (200, "")


async def test_nor_does_the_owner_of_the_key_that_rewrote_it(desk: Desk) -> None:
    asker, editor = await desk.key(), await desk.key(Scope.OPERATE, owner=ANA)
    asked = (await asker.post("/api/approvals", ASKED)).json()

    await editor.send("PATCH", asked["status_url"], json={"details": {"amount": "9999"}})

    assert await voted(await desk.person(ANA), asked, 2) == (403, "not_eligible")


async def test_a_rewrite_that_leaves_too_few_to_approve_is_refused(desk: Desk) -> None:
    ana, key = await given_ana_operates(desk), await desk.key()
    asked = (await key.post("/api/approvals", {**ASKED, "quorum": "all"})).json()

    refused = await ana.send("PATCH", asked["status_url"], json={"title": "Refund 18?"})

    assert code(refused) == (422, "bad_quorum")
    assert await voted(ana, asked) == (200, "")


async def test_a_key_that_somebody_makes_for_nobody_is_their_own(desk: Desk) -> None:
    ana = await given_ana_operates(desk)

    made = (await ana.post("/api/keys", {"name": "x", "scopes": ["approvals:ask"]})).json()

    asked = (
        await Known(client=desk.stranger, token=made["key"]).post("/api/approvals", ASKED)
    ).json()
    assert made["owner"] == "ana"
    assert await voted(ana, asked) == (403, "not_eligible")


async def given_key_for(maker: Known, desk: Desk, owner: str, *scopes: str) -> Known:
    body = {"name": "x", "scopes": scopes or ("approvals:ask", "runs:start"), "owner": owner}
    made = (await maker.post("/api/keys", body)).json()
    return Known(client=desk.stranger, token=made["key"])


async def test_whoever_makes_a_key_for_somebody_else_does_not_approve_what_it_asks(
    desk: Desk,
) -> None:
    ana = await given_ana_operates(desk)
    key = await given_key_for(ana, desk, "person:chen")

    asked = (await key.post("/api/approvals", {**ASKED, "quorum": 1})).json()

    assert await voted(ana, asked) == (403, "not_eligible")
    assert await voted(await desk.person(CHEN), asked) == (403, "not_eligible")
    assert await voted(await desk.person(BO), asked) == (200, "")


async def test_nor_by_a_key_that_makes_another_one(desk: Desk) -> None:
    ana = await given_ana_operates(desk)
    maker = await given_key_for(ana, desk, "person:dana", "operate")
    key = await given_key_for(maker, desk, "person:chen")

    asked = (await key.post("/api/approvals", {**ASKED, "quorum": 1})).json()

    assert await voted(ana, asked) == (403, "not_eligible")
    listed = (await ana.get("/api/keys")).json()["keys"]
    assert {each["owner"]: each["made_by"] for each in listed} == {
        "chen": ["ana", "dana"],
        "dana": ["ana"],
    }


async def test_a_key_made_with_a_key_has_the_same_owner(desk: Desk) -> None:
    operating = await desk.key(Scope.OPERATE, owner=ANA)

    made = (await operating.post("/api/keys", {"name": "x", "scopes": ["approvals:ask"]})).json()

    asked = (
        await Known(client=desk.stranger, token=made["key"]).post("/api/approvals", ASKED)
    ).json()
    assert await voted(await desk.person(ANA), asked) == (403, "not_eligible")


@pytest.mark.parametrize("claimed", ["person:bo", "agent:ana", "workflow:tests.pay", "key:other"])
async def test_speaking_for_somebody_else_leaves_the_keys_owner_out_too(
    desk: Desk, claimed: str
) -> None:
    key = await desk.key(owner=ANA)

    asked = (await key.post("/api/approvals", {**ASKED, "requester": claimed, "quorum": 1})).json()

    assert await voted(await desk.person(ANA), asked) == (403, "not_eligible")
    seen = (await key.get(asked["status_url"])).json()
    assert seen["requester_is_verified"] is False


@pytest.mark.parametrize(
    "claimed", ["person:ANA", "person: ana", "person:ana ", "person:\u0430na", "person:zoe", "ana", "person:"]
)  # fmt: skip
async def test_another_spelling_of_a_person_is_nobody(desk: Desk, claimed: str) -> None:
    key = await desk.key()

    refused = await key.post("/api/approvals", {**ASKED, "requester": claimed})

    assert refused.status_code == 422, refused.text


@pytest.mark.parametrize(
    "approver",
    ["email:ana@example.com", "email:ANA@EXAMPLE.COM", "slack:T0123/U0AAA", "person:ana", "group:finance"],
)  # fmt: skip
async def test_the_owner_is_left_out_by_whatever_name_they_are_asked(
    desk: Desk, approver: str
) -> None:
    key = await desk.key(owner=ANA)

    asked = await key.post(
        "/api/approvals", {**ASKED, "approvers": [approver, "person:bo"], "quorum": 1}
    )

    assert await voted(await desk.person(ANA), asked.json()) == (403, "not_eligible")


@pytest.mark.parametrize("name", ["Ana Diaz", "ana diaz", " Ana  Diaz ", "\uff21na Diaz"])
async def test_a_key_is_not_called_like_a_person(desk: Desk, name: str) -> None:
    made = await (await desk.key()).post("/api/keys", {"name": name, "scopes": ["read"]})

    assert code(made) == (422, "bad_key_name")


async def test_a_key_ends_with_the_person_who_answers_for_it(desk: Desk) -> None:
    key = await desk.key(owner=ANA)
    without_ana = Directory(
        people=tuple(person for person in COMPANY.people if person.id != ANA),
        groups={},
        roles={},
        routes={},
    )
    await desk.application.database.write(
        lambda tx: configuration.apply(tx, DEFAULT_TENANT, without_ana)
    )

    assert code(await key.get("/api/me")) == (401, "bad_key")
