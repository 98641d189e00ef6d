"""Callbacks of webhooks and Slack's events, at their doors."""

import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.application import Application
from bot.web.app import create_app
from channels.webhook.config import WebhookTarget
from channels.webhook.signature import signed
from engine.http import app_client
from tests.api.desk import ANA, ASKED, Desk, code
from tests.api.media import Quiet

pytestmark = pytest.mark.anyio
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MDE="
ERP = WebhookTarget(name="erp", url="https://erp.example.com/hooks", secrets=(SECRET,), person=ANA)
JSON = {"content-type": "application/json"}


@pytest.fixture
def webhooks() -> tuple[WebhookTarget, ...]:
    return (ERP,)


@pytest.fixture
def channels() -> dict[str, Quiet]:
    return {"webhook": Quiet("webhook")}


async def asked(desk: Desk, **change: object) -> dict[str, Any]:
    key = await desk.key()
    found: dict[str, Any] = (await key.post("/api/approvals", {**ASKED, **change})).json()
    return found


def body(approval: dict[str, Any], **change: object) -> bytes:
    return json.dumps({"choice": "approve", "digest": approval["digest"], **change}).encode()


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer x"}, {"webhook-signature": "v1,AAAA"}]
)
async def test_an_answer_without_a_proof_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    approval = await asked(desk)

    refused = await desk.stranger.post(
        f"/callbacks/{approval['id']}", content=body(approval), headers={**JSON, **headers}
    )

    assert code(refused) == (401, "signature_invalid")


async def test_forged_answers_run_out(desk: Desk) -> None:
    approval = await asked(desk)
    path = f"/callbacks/{approval['id']}"

    answers = [code(await desk.stranger.post(path, content=b"{}"))[0] for _ in range(11)]

    assert answers == [401] * 10 + [429]


async def test_a_signed_answer_is_refused_where_the_vote_would_be(desk: Desk) -> None:
    approval = await asked(desk)
    path = f"/callbacks/{approval['id']}"

    unread = await signed_post(desk, path, b'{"choice": "approve", "choice": "reject"}')
    unknown = await signed_post(desk, path, body(approval, wishes={}))
    old = await signed_post(desk, path, body(approval, digest=f"sha256:{'0' * 64}"))
    nowhere = await signed_post(desk, "/callbacks/apr_0", body(approval))

    assert code(unread) == (422, "bad_json")
    assert code(unknown) == (422, "bad_callback")
    assert code(old) == (409, "superseded")
    assert code(nowhere) == (404, "not_found")


async def test_a_signed_answer_counts_once(desk: Desk) -> None:
    approval = await asked(desk)
    path = f"/callbacks/{approval['id']}"

    first = await signed_post(desk, path, body(approval), id="msg_1")
    again = await signed_post(desk, path, body(approval), id="msg_1")

    assert first.json()["message"] == "Recorded. 1 of 2 approvals."
    assert (again.status_code, again.json()["recorded"]) == (200, False)


async def test_the_token_of_the_outgoing_message_is_enough(desk: Desk) -> None:
    approval = await asked(desk)
    token = desk.application.tokens.callback(approval=approval["id"], webhook="erp")

    response = await desk.stranger.post(
        f"/callbacks/{approval['id']}",
        content=body(approval),
        headers={**JSON, "authorization": f"Bearer {token}"},
    )

    assert (response.status_code, response.json()["counted"]) == (200, True)


async def test_a_callback_url_gets_a_secret_that_is_kept_nowhere(desk: Desk) -> None:
    key, change = await desk.key(), {"callback_url": "https://shop.example.com/decided"}

    first = await key.post("/api/approvals", {**ASKED, **change}, idempotency_key="1")
    again = await key.post("/api/approvals", {**ASKED, **change}, idempotency_key="1")

    assert first.json()["callback_secret"].startswith("whsec_")
    assert again.json() == first.json()
    assert "whsec_" not in (await key.get(first.json()["status_url"])).text


async def test_slack_is_heard_only_where_it_is_set_up(desk: Desk) -> None:
    assert code(await desk.stranger.post("/slack/events")) == (404, "not_found")


async def test_slack_gets_the_request_as_it_came(application: Application) -> None:
    async def answer(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    heard = create_app(replace(application, slack=answer))
    async with app_client(heard) as slack:
        response = await slack.post("/slack/events", content=b"payload=%7B%7D")

    assert (response.status_code, response.text) == (200, "payload=%7B%7D")


async def signed_post(desk: Desk, path: str, content: bytes, id: str = "msg_0") -> Any:
    at = desk.application.clock.now()
    headers = {**JSON, **signed(content, id=id, at=at, secrets=[SECRET])}
    return await desk.stranger.post(path, content=content, headers=headers)
