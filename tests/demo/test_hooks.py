"""The webhook receiver: what it refuses, how it troubles senders, and how it answers."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from functools import partial

import anyio
import httpx
import pytest
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.faults import Bomb, Drop, Fault, Flood, Status, Trickle
from bot.demo.hooks.callbacks import Callbacks, NotAnswerable, Proof
from bot.demo.hooks.standin import HooksStandIn
from bot.demo.hooks.verification import checked_secret, new_secret, objection, signature
from bot.demo.serving import served
from bot.demo.trees import Record, minified
from engine.ids import SystemIds
from tests.clock import NOON, ManualClock
from tests.demo.conftest import App

pytestmark = pytest.mark.anyio

SECRET = new_secret("a secret of thirty-two characters")
OLD = new_secret("an older secret, still verifying")


@pytest.fixture
async def hooks(clock: ManualClock) -> AsyncIterator[HooksStandIn]:
    stand_in = HooksStandIn([SECRET, OLD], clock=clock, ids=SystemIds())
    async with served(stand_in.app) as url:
        stand_in.at(url)
        yield stand_in
        stand_in.deliveries.changes.close()


def event(kind: str = "approval.opened", **data: object) -> bytes:
    return minified({"type": kind, "timestamp": "2026-01-15T12:00:00Z", "data": data}).encode()


def signed(
    body: bytes, *, secret: str = SECRET, at: datetime = NOON, id: str = "msg_1"
) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(secret, message_id=id, at=at, body=body),
    }


async def post(hooks: HooksStandIn, body: bytes, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(hooks.url, content=body, headers=headers)


BODY = event()
GOOD = signed(BODY)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(BODY, {}, 401, id="unsigned"),
        pytest.param(BODY, signed(BODY, secret=new_secret("x" * 32)), 401, id="another secret"),
        pytest.param(event(more=1), GOOD, 401, id="another body"),
        pytest.param(BODY, signed(BODY, at=NOON - timedelta(seconds=301)), 401, id="old"),
        pytest.param(BODY, signed(BODY, at=NOON + timedelta(seconds=301)), 401, id="future"),
        pytest.param(BODY, {**GOOD, "webhook-id": "msg.1"}, 401, id="a dot in the id"),
        pytest.param(BODY, {**GOOD, "webhook-timestamp": "1.5"}, 401, id="half a second"),
        pytest.param(BODY, {**GOOD, "webhook-timestamp": " 1"}, 401, id="a space"),
        pytest.param(BODY, {**GOOD, "webhook-signature": "v1"}, 401, id="no comma"),
        pytest.param(BODY, {**GOOD, "webhook-signature": "v1,%%%"}, 401, id="no base64"),
        pytest.param(BODY, {**GOOD, "webhook-signature": "v1a,AAAA"}, 401, id="another scheme"),
        pytest.param(BODY, {**GOOD, "content-type": "text/plain"}, 415, id="no JSON announced"),
        pytest.param(b"\xff", {**GOOD}, 401, id="not UTF-8"),
        pytest.param(b"[]", signed(b"[]"), 400, id="no object"),
        pytest.param(b"{}", signed(b"{}"), 400, id="nothing in it"),
    ],
)
def test_a_wrong_delivery_is_refused(body: bytes, headers: dict[str, str], status: int) -> None:
    refusal = objection(body, headers, secrets=[SECRET], now=NOON)

    assert refusal is not None
    assert refusal[0] == status


def test_a_body_must_be_minified_and_small() -> None:
    loose = json.dumps(json.loads(BODY), indent=1).encode()
    large = event(words="x" * 20_000)
    spaced = event(words='a "quoted" word')

    assert objection(loose, signed(loose), secrets=[SECRET], now=NOON) == (
        400,
        "The body is not minified.",
    )
    assert (objection(large, signed(large), secrets=[SECRET], now=NOON) or (0,))[0] == 413
    assert objection(spaced, signed(spaced), secrets=[SECRET], now=NOON) is None


def test_keys_can_rotate() -> None:
    both = signed(BODY)["webhook-signature"] + " " + signed(BODY, secret=OLD)["webhook-signature"]

    assert objection(BODY, signed(BODY, secret=OLD), secrets=[SECRET, OLD], now=NOON) is None
    assert objection(BODY, {**GOOD, "webhook-signature": both}, secrets=[OLD], now=NOON) is None


def test_a_signature_does_not_depend_on_the_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))

    assert signed(BODY, at=elsewhere)["webhook-signature"] == Webhook(SECRET).sign(
        "msg_1", NOON, BODY.decode()
    )


@pytest.mark.parametrize("secret", ["whsec_AAAA", "sk_" + "A" * 44, "whsec_" + "A" * 100])
def test_a_secret_that_the_standard_forbids_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        checked_secret(secret)


async def test_a_repeat_is_counted_and_not_kept_twice(hooks: HooksStandIn) -> None:
    other = event(more=1)

    answers = [await post(hooks, BODY, GOOD) for _ in range(3)]
    clash = await post(hooks, other, signed(other))

    (delivery,) = hooks.received("approval.opened")
    assert [answer.status_code for answer in answers] == [204] * 3
    assert (delivery.repeats, clash.status_code) == (2, 409)
    assert [attempt.status for attempt in hooks.attempts] == [204, 204, 204, 409]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Status(code=410), 410),
        (Status(code=429, retry_after=30), 429),
        (Status(code=500), 500),
        (Status(code=302, location="http://127.0.0.1:1/elsewhere"), 302),
    ],
)
async def test_a_queued_status_is_met_once(hooks: HooksStandIn, fault: Status, status: int) -> None:
    hooks.trouble(fault)

    met = await post(hooks, BODY, GOOD)
    assert hooks.received() == []
    passed = await post(hooks, BODY, GOOD)

    assert (met.status_code, passed.status_code) == (status, 204)
    assert met.headers.get("retry-after") == ("30" if status == 429 else None)
    assert met.headers.get("location") == fault.location


@pytest.mark.parametrize("done", [True, False])
async def test_a_lost_answer_leaves_the_sender_in_doubt(hooks: HooksStandIn, done: bool) -> None:
    hooks.trouble(Drop(done=done))

    with pytest.raises(httpx.TransportError):
        await post(hooks, BODY, GOOD)

    assert len(hooks.received()) == int(done)
    assert hooks.attempts[-1].status == 0


@pytest.mark.parametrize("fault", [Flood(size=1_000_000), Bomb(size=1_000_000)])
async def test_an_answer_can_be_enormous(hooks: HooksStandIn, fault: Fault) -> None:
    hooks.trouble(fault)

    answer = await post(hooks, BODY, GOOD)

    assert len(answer.content) == 1_000_000


async def test_an_answer_can_trickle_for_ever(hooks: HooksStandIn, clock: ManualClock) -> None:
    hooks.trouble(Trickle(every=timedelta(seconds=1)))
    read: list[bytes] = []

    async with httpx.AsyncClient(trust_env=False) as client, anyio.create_task_group() as group:
        stream = client.stream("POST", hooks.url, content=BODY, headers=GOOD)
        async with stream as answer:
            pieces = answer.aiter_raw()
            read.append(await anext(pieces))
            group.start_soon(partial(clock.advance, timedelta(seconds=1)))
            read.append(await anext(pieces))

    assert read == [b".", b"."]


@pytest.fixture
async def bot() -> AsyncIterator[tuple[App, str]]:
    app = App(answer=Response('{"recorded":true}', media_type="application/json"))
    async with served(Starlette(routes=[Route("/{path:path}", app.hear, methods=["POST"])])) as url:
        yield app, url


async def opened(hooks: HooksStandIn, url: str) -> None:
    approval: Record = {"id": "apr_1", "title": "Refund?", "digest": "sha256:1"}
    actions: Record = {"url": f"{url}/callbacks/apr_1", "token": "once"}
    body = event(approval=approval, actions=actions)
    await post(hooks, body, signed(body))


async def test_an_answer_is_signed_and_carries_the_digest(
    hooks: HooksStandIn, bot: tuple[App, str]
) -> None:
    app, url = bot
    await opened(hooks, url)
    delivery = await hooks.arrival("approval.opened")

    answered = await hooks.callbacks.answer(delivery, "approve", "Looks right")

    headers, body = app.heard[-1]
    assert json.loads(body) == {
        "choice": "approve",
        "comment": "Looks right",
        "digest": "sha256:1",
    }
    assert objection(body, headers, secrets=[SECRET], now=NOON) == (
        400,
        "The body lacks type, timestamp or data.",
    )
    assert (answered.status, answered.json) == (200, {"recorded": True})


async def test_an_answer_can_carry_the_token_instead(
    hooks: HooksStandIn, bot: tuple[App, str]
) -> None:
    app, url = bot
    await opened(hooks, url)

    await hooks.callbacks.answer(hooks.received()[0], "reject", proof=Proof.BEARER)

    headers, _ = app.heard[-1]
    assert headers["authorization"] == "Bearer once"
    assert "webhook-signature" not in headers


@pytest.mark.parametrize("spoil", [Callbacks.forged, Callbacks.tampered, Callbacks.stale])
async def test_each_forgery_fails_verification(
    hooks: HooksStandIn, bot: tuple[App, str], spoil: object
) -> None:
    app, url = bot
    await opened(hooks, url)
    honest = hooks.callbacks.composed(hooks.received()[0], "approve")
    made = spoil(hooks.callbacks, honest) if callable(spoil) else honest

    await hooks.callbacks.send(made)

    headers, body = app.heard[-1]
    assert (objection(body, headers, secrets=[SECRET], now=NOON) or (0,))[0] == 401


async def test_what_carries_no_actions_cannot_be_answered(hooks: HooksStandIn) -> None:
    await post(hooks, BODY, GOOD)

    with pytest.raises(NotAnswerable):
        hooks.callbacks.composed(hooks.received()[0], "approve")


async def test_what_has_ended_is_answered_too_late_and_its_form_says_so(
    hooks: HooksStandIn,
) -> None:
    actions = {"url": "http://127.0.0.1:1/callbacks/apr_1"}
    for number, (id, status) in enumerate(
        [("apr_1", "open"), ("apr_2", "open"), ("apr_1", "approved")]
    ):
        approval = {"id": id, "status": status, "title": id}
        body = event(approval=approval, actions=actions if status == "open" else {})
        answer = await post(hooks, body, signed(body, id=f"msg_{number}"))
        assert answer.status_code == 204

    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(hooks.base)).text

    assert page.count('class="over"') == page.count("an answer comes too late") == 1
    assert page.index("apr_2") < page.index('class="over"')
