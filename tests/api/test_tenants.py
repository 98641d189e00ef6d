"""Tenants over HTTP: made by whoever runs the installation, put to rest, and gone on with."""

from datetime import timedelta

import pytest

from bot.application import Application
from engine.ids import DEFAULT_TENANT, PersonId, TenantId
from engine.services import configuration, deliveries, keys, sign_ins, tenants
from engine.services.configuration import Directory, ListedPerson
from engine.services.keys import NewKey, Scope
from engine.store import notices
from engine.store.database import Transaction
from engine.store.notices import Notice
from tests.api.desk import ANA, DANA, Desk, Known, code

pytestmark = pytest.mark.anyio

ACME = TenantId("acme")
TWINS = Directory(
    people=(ListedPerson(id=ANA, name="Ana of Acme", email="ana@example.com"),),
    roles={"operator": frozenset({ANA})},
)


async def given_acme(desk: Desk) -> Known:
    """The other tenant, and an agent of it."""

    def made(tx: Transaction) -> str:
        tenants.create(tx, ACME, name="Acme", by="tests")
        tx.act_for(ACME)
        configuration.apply(tx, ACME, TWINS)
        new = NewKey(name="agent", scopes=tuple(Scope))
        return keys.create(tx, ACME, new, by="tests")[1]

    token = await desk.application.database.write(made)
    return Known(client=desk.stranger, token=token)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"id": "Acme", "name": "Acme"}, (422, "bad_tenant_id")),
        ({"id": "acme", "name": " "}, (422, "bad_tenant_name")),
        ({"id": "default", "name": "Ours"}, (409, "tenant_exists")),
    ],
)
async def test_what_cannot_be_a_tenant_is_refused(
    desk: Desk, body: dict[str, str], refusal: tuple[int, str]
) -> None:
    known = await desk.key(Scope.OPERATE)

    assert code(await known.post("/api/tenants", body)) == refusal


async def test_only_operators_of_the_installation_make_tenants(desk: Desk) -> None:
    agent = await given_acme(desk)

    for method, path in (("GET", "/api/tenants"), ("POST", "/api/tenants")):
        answer = await agent.send(method, path, json={"id": "beta", "name": "Beta"})
        assert code(answer) == (403, "not_the_installation")


async def test_the_installations_own_tenant_never_rests(desk: Desk) -> None:
    dana = await desk.person(DANA)

    answer = await dana.send("PATCH", "/api/tenants/default", json={"is_active": False})

    assert code(answer) == (409, "default_tenant")


async def test_a_tenant_is_made_renamed_and_listed(desk: Desk) -> None:
    dana = await desk.person(DANA)

    made = await dana.post("/api/tenants", {"id": "acme", "name": "Acme"})
    renamed = await dana.send("PATCH", "/api/tenants/acme", json={"name": "Acme Ltd"})
    listed = (await dana.get("/api/tenants")).json()["tenants"]

    assert (made.status_code, renamed.json()["name"]) == (201, "Acme Ltd")
    assert [(each["id"], each["is_active"]) for each in listed] == [
        ("acme", True),
        ("default", True),
    ]


async def test_at_rest_nobody_gets_in_and_afterwards_everybody_does(desk: Desk) -> None:
    dana, agent = await desk.person(DANA), await given_acme(desk)

    await dana.send("PATCH", "/api/tenants/acme", json={"is_active": False})
    resting = await agent.get("/api/runs")
    there = await desk.local.get("/api/runs", headers={"signoff-tenant": "acme"})
    await dana.send("PATCH", "/api/tenants/acme", json={"is_active": True})

    assert code(resting) == (401, "tenant_inactive")
    assert there.json()["code"] == "tenant_inactive"
    assert (await agent.get("/api/runs")).status_code == 200


async def test_somebody_of_two_tenants_gets_a_link_for_each(desk: Desk) -> None:
    await given_acme(desk)

    database, who = desk.application.database, "ana@example.com"
    both = await database.write(lambda tx: links_of(tx, who, None))
    one = await database.write(lambda tx: links_of(tx, who, ACME))

    assert (both, one) == (["acme", "default"], ["acme"])


def links_of(tx: Transaction, who: str, only: TenantId | None) -> list[str]:
    """For which tenants somebody is sent a link."""
    terminal = sign_ins.begin_terminal(tx, who, homes=sign_ins.homes_of(tx, who, only))
    return [link.person.tenant for link in terminal.links]


async def test_many_messages_of_one_tenant_hold_up_nobody_elses(
    desk: Desk, application: Application
) -> None:
    await given_acme(desk)

    def told(tx: Transaction) -> list[str]:
        for tenant, many in ((DEFAULT_TENANT, 100), (ACME, 1)):
            for _ in range(many):
                notices.tell_person(tx, tenant, PersonId("ana"), NOTICE)
        taken = deliveries.claim(tx, "email", limit=8, lease_for=timedelta(minutes=1))
        return [each.tenant for each in taken]

    taken = await application.database.write(told)

    assert (len(taken), taken.count(ACME)) == (8, 1)


NOTICE = Notice(event="test", title="Hello", text="Hello", path="/")
