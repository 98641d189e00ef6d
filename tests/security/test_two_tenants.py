"""Workspaces, webhooks and links of two tenants that share one Signoff: each opens its own tenant's doors alone."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from httpx import Response

from bot.demo.slack.messages import Message
from bot.demo.slack.signing import payload_of
from bot.demo.slack.standin import SlackStandIn
from bot.demo.trees import records
from bot.web.pages.opened import nonce
from channels.slack.config import SlackConfig
from channels.slack.reference import Reference
from channels.webhook.config import WebhookTarget
from channels.webhook.signature import signed
from engine.ids import DEFAULT_TENANT, TenantId
from engine.services import approvals, configuration, tenants
from engine.services.approvals import Request
from engine.services.configuration import Directory, ListedPerson
from engine.store import links
from engine.store.approvals import ApprovalRow
from engine.store.database import Database, Transaction
from tests.api.desk import ANA, Desk
from tests.channels.slack.scene import ANA as U0ANA
from tests.channels.slack.scene import DEE, Scene, scene
from tests.clock import ManualClock
from tests.security.guarded import database

__all__ = ["database"]

pytestmark = pytest.mark.anyio

ACME = TenantId("acme")
THEIRS = Directory(
    people=(ListedPerson(id=ANA, name="Ana of Acme", email="ana@acme.example", slack=f"T0ACME/{U0ANA}"),),
    groups={"finance": frozenset({ANA})},
)  # fmt: skip
SECRETS = {
    DEFAULT_TENANT: "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MDE=",
    ACME: "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MDI=",
}
URL = "https://erp.example.com/hooks"


@pytest.fixture
def webhooks() -> tuple[WebhookTarget, ...]:
    return tuple(
        WebhookTarget(name=f"erp-{tenant}", url=URL, secrets=(secret,), person=ANA, tenant=tenant)
        for tenant, secret in SECRETS.items()
    )


@pytest.fixture
async def told(
    slack: SlackStandIn, config: SlackConfig, database: Database, clock: ManualClock
) -> AsyncIterator[Scene]:
    """One app, heard from in two workspaces: the stand-in's own is the installation's."""
    mapped = {"T0ACME": ACME}
    async with scene(slack, config, database=database, clock=clock, tenants=mapped) as story:
        yield story


async def asked(database: Database, tenant: TenantId) -> ApprovalRow:
    """What this tenant's Ana alone may decide; acme is made with its first."""
    request = Request(title="Pay?", action="pay", approvers="person:ana")

    def deed(tx: Transaction) -> ApprovalRow:
        if tenant == ACME:
            tenants.keep(tx, ACME, name="Acme")
            tx.act_for(ACME)
            configuration.apply(tx, ACME, THEIRS)
        return approvals.ask(tx, tenant, request, started_by="key:agent", owner=None)

    return await database.of(tenant).write(deed)


async def voters(database: Database, row: ApprovalRow) -> list[tuple[str, str]]:
    picture = await database.of(row.tenant).read(
        lambda tx: approvals.picture(tx, row.tenant, row.id)
    )
    return [(vote.person, vote.channel) for vote in picture.votes]


async def pressed(told: Scene, card: Message, workspace: str, row: ApprovalRow) -> int:
    """Somebody of `workspace` approves; gives what Slack is answered."""
    sent = (await told.slack.people.press(DEE, card, "Approve")).sent
    [action] = records(payload_of(sent)["actions"])
    reference = Reference(approval=row.id, version=row.version, digest=row.digest)
    forged = told.slack.forger.changed(
        sent,
        team={"id": workspace, "domain": "elsewhere"},
        user={"id": U0ANA, "team_id": workspace},
        actions=[{**action, "value": str(reference)}],
    )
    return (await told.slack.line.send(forged)).status


async def test_a_workspace_answers_for_its_own_tenant_alone(told: Scene) -> None:
    ours, theirs = [await asked(told.database, each) for each in (DEFAULT_TENANT, ACME)]
    _, card = await told.posted()

    crossed = [
        await pressed(told, card, "T0ACME", ours),
        await pressed(told, card, "T0DEMO", theirs),
        await pressed(told, card, "T0NOBODYS", theirs),
    ]
    nobody = [await voters(told.database, each) for each in (ours, theirs)]
    await pressed(told, card, "T0ACME", theirs)
    await pressed(told, card, "T0DEMO", ours)

    assert (crossed, nobody) == ([200, 200, 401], [[], []])
    assert await voters(told.database, ours) == [(ANA, "slack")]
    assert await voters(told.database, theirs) == [(ANA, "slack")]


async def test_a_workspace_of_a_tenant_at_rest_changes_nothing(told: Scene) -> None:
    theirs = await asked(told.database, ACME)
    _, card = await told.posted()
    await told.database.write(lambda tx: tenants.deactivate(tx, ACME, by="tests"))

    status = await pressed(told, card, "T0ACME", theirs)

    assert (status, await voters(told.database, theirs)) == (200, [])


async def called_back(desk: Desk, row: ApprovalRow, headers: Mapping[str, str]) -> Response:
    content = answer(row)
    sent = {"content-type": "application/json", **headers}
    return await desk.stranger.post(f"/callbacks/{row.id}", content=content, headers=sent)


def answer(row: ApprovalRow) -> bytes:
    return json.dumps({"choice": "approve", "digest": row.digest}).encode()


def by_signature(desk: Desk, row: ApprovalRow, tenant: TenantId) -> dict[str, str]:
    at, secret = desk.application.clock.now(), SECRETS[tenant]
    return dict(signed(answer(row), id=f"msg_{row.id}", at=at, secrets=[secret]))


def by_token(desk: Desk, row: ApprovalRow, tenant: TenantId) -> dict[str, str]:
    token = desk.application.tokens.callback(approval=row.id, webhook=f"erp-{tenant}")
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("proof", [by_signature, by_token])
async def test_a_webhook_answers_for_its_own_tenant_alone(desk: Desk, proof: Any) -> None:
    database = desk.application.database
    ours, theirs = [await asked(database, each) for each in (DEFAULT_TENANT, ACME)]

    crossed = [
        await called_back(desk, ours, proof(desk, ours, ACME)),
        await called_back(desk, theirs, proof(desk, theirs, DEFAULT_TENANT)),
    ]
    nobody = [await voters(database, each) for each in (ours, theirs)]
    right = [await called_back(desk, row, proof(desk, row, row.tenant)) for row in (ours, theirs)]

    assert ([each.status_code for each in crossed], nobody) == ([401, 401], [[], []])
    assert [each.json()["counted"] for each in right] == [True, True]
    assert [await voters(database, each) for each in (ours, theirs)] == [[(ANA, "webhook")]] * 2


async def test_a_webhook_of_a_tenant_at_rest_changes_nothing(desk: Desk) -> None:
    database = desk.application.database
    theirs = await asked(database, ACME)
    await database.write(lambda tx: tenants.deactivate(tx, ACME, by="tests"))

    for proof in (by_signature, by_token):
        refused = await called_back(desk, theirs, proof(desk, theirs, ACME))
        assert (refused.status_code, refused.json()["code"]) == (401, "tenant_inactive")

    assert await voters(database, theirs) == []


async def test_a_link_of_a_tenant_at_rest_decides_only_once_it_is_awake(desk: Desk) -> None:
    database, application = desk.application.database, desk.application
    theirs = await asked(database, ACME)
    named: dict[str, Any] = {"approval": theirs.id, "version": 1, "person": ANA, "serial": 1}
    await database.of(ACME).write(lambda tx: links.mint(tx, ACME, **named))
    token = application.tokens.respond(**named)
    form = {"choice": "approve", "digest": theirs.digest, "nonce": nonce(application, token)}

    async def opened_and_sent() -> list[Response]:
        path, headers = f"/respond/{token}", {"origin": application.base_url}
        looked = await desk.stranger.get(path)
        return [looked, await desk.stranger.post(path, data=form, headers=headers)]

    await database.write(lambda tx: tenants.deactivate(tx, ACME, by="tests"))
    resting = await opened_and_sent()
    nobody = await voters(database, theirs)
    await database.write(lambda tx: tenants.activate(tx, ACME, by="tests"))
    awake = await opened_and_sent()

    assert [(each.status_code, "Pay?" in each.text) for each in resting] == [(401, False)] * 2
    assert nobody == []
    assert [each.status_code for each in awake] == [200, 200]
    assert await voters(database, theirs) == [(ANA, "email")]
