"""Over real HTTP: what is sent, what each answer means, and that nothing inside is ever called."""

import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.faults import Bomb, Drop, Flood, Status
from bot.demo.hooks.standin import HooksStandIn
from bot.demo.serving import served
from channels.base import (
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    Notice,
    RecipientUnknown,
)
from channels.webhook.channel import WebhookChannel
from engine.digest import sha256
from engine.http import Egress
from engine.ids import SystemIds
from engine.tokens import Tokens
from tests.channels.webhook.conftest import BASE, LOOPBACK, SNAPSHOT, card, channel_of, target
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("to", ["", "nobody", "ERP", "ftp://x", "//127.0.0.1/"])
async def test_an_unknown_name_is_an_unknown_recipient(to: str, channel: WebhookChannel) -> None:
    with pytest.raises(RecipientUnknown):
        await channel.post(card(), to=to, key="dlv_1")


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/x", "https://[::1]/", "https://169.254.169.254/", "http://localhost/"],
)
async def test_the_inside_is_not_called(url: str, clock: ManualClock, tokens: Tokens) -> None:
    closed = WebhookChannel(
        [], egress=Egress(), callbacks=Egress(), tokens=tokens, clock=clock, base_url=BASE
    )

    with pytest.raises(ChannelRefused) as refusal:
        await closed.post(card(event="approval.decided"), to=url, key="dlv_1")

    assert refusal.value.code == "egress_refused"


async def test_what_whoever_asks_names_reaches_less_than_a_webhook_of_the_operators(
    clock: ManualClock, tokens: Tokens, hooks: HooksStandIn
) -> None:
    erp = target(hooks.url)
    theirs = Egress(setting="SIGNOFF_CALLBACK_ALLOW_NETS")
    channel = WebhookChannel(
        [erp], egress=LOOPBACK, callbacks=theirs, tokens=tokens, clock=clock, base_url=BASE
    )

    with pytest.raises(ChannelRefused, match="SIGNOFF_CALLBACK_ALLOW_NETS") as refusal:
        await channel.post(card(event="approval.decided"), to=hooks.url, key="dlv_1")
    await channel.post(card(event="approval.decided"), to="erp", key="dlv_2")

    assert refusal.value.code == "egress_refused"
    assert len(hooks.attempts) == 1


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504]
)
async def test_every_other_answer_is_tried_again(
    status: int, channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    hooks.trouble(Status(code=status, body="internal secret"))

    with pytest.raises(ChannelUnavailable) as refusal:
        await channel.post(card(), to="erp", key="dlv_1")

    assert not refusal.value.ambiguous
    assert "internal secret" not in str(refusal.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(
    status: int, channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    hooks.trouble(Status(code=status, location=hooks.url))

    with pytest.raises(ChannelRefused) as refusal:
        await channel.post(card(), to="erp", key="dlv_1")

    assert refusal.value.code == "redirected"
    assert len(hooks.attempts) == 1


async def test_an_endpoint_that_is_gone_is_never_called_again(
    channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    hooks.trouble(Status(code=410))

    for key in ("dlv_1", "dlv_2"):
        with pytest.raises(ChannelRefused) as refusal:
            await channel.post(card(), to="erp", key=key)
        assert refusal.value.code == "endpoint_gone"

    assert len(hooks.attempts) == 1
    with pytest.raises(ChannelMisconfigured, match="erp"):
        await channel.check_health()


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("99999999999999", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
async def test_a_wish_to_wait_is_handed_on(
    said: str, heard: float | None, clock: ManualClock, tokens: Tokens
) -> None:
    async with served(answering(429, {"Retry-After": said})) as url:
        busy = channel_of(clock, tokens, target(url))
        with pytest.raises(ChannelUnavailable) as refusal:
            await busy.post(card(), to="erp", key="dlv_1")

    assert refusal.value.retry_after_s == heard


async def test_a_wish_to_wait_may_be_a_date(clock: ManualClock, tokens: Tokens) -> None:
    later = format_datetime(clock.now() + timedelta(minutes=2), usegmt=True)

    async with served(answering(503, {"Retry-After": later})) as url:
        with pytest.raises(ChannelUnavailable) as refusal:
            await channel_of(clock, tokens, target(url)).post(card(), to="erp", key="dlv_1")

    assert refusal.value.retry_after_s == 120


async def test_a_connection_lost_after_the_request_is_ambiguous_and_a_repeat_is_dropped_there(
    channel: WebhookChannel, hooks: HooksStandIn, clock: ManualClock
) -> None:
    hooks.trouble(Drop(done=True))

    with pytest.raises(ChannelUnavailable) as refusal:
        await channel.post(card(), to="erp", key="dlv_1")
    await clock.advance(timedelta(hours=3))
    await channel.post(card(status="approved"), to="erp", key="dlv_1")

    assert refusal.value.ambiguous
    assert [(event.id, event.repeats) for event in hooks.received()] == [("dlv_1", 1)]


@pytest.mark.parametrize("fault", [Flood(size=20_000_000), Bomb(size=20_000_000)], ids=str)
async def test_an_endless_answer_is_success_and_is_not_read(
    fault: Flood | Bomb, channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    hooks.trouble(fault)

    ref = await channel.post(card(), to="erp", key="dlv_1")

    assert ref.data == {"webhook_id": "dlv_1"}


async def test_an_event_says_what_happened_and_where_to_answer(
    channel: WebhookChannel, hooks: HooksStandIn, tokens: Tokens
) -> None:
    ref = await channel.post(card(), to="erp", key="dlv_1")

    [event] = hooks.received("approval.opened")
    token = tokens.callback(approval=card().approval, webhook="erp")
    assert json.loads(event.body) == {
        "type": "approval.opened",
        "timestamp": "2026-01-15T12:00:00.000000Z",
        "data": {
            "approval": SNAPSHOT,
            "actions": {"url": f"{BASE}/callbacks/{card().approval}", "token": token},
        },
    }
    assert ref.shown == sha256(event.body)


async def test_later_events_are_events_of_their_own(
    channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    ref = await channel.post(card(), to="erp", key="dlv_1")

    decided = card(event="approval.decided", snapshot={**SNAPSHOT, "status": "approved"})
    await channel.update(decided, ref, to="erp", key="dlv_2")

    [event] = hooks.received("approval.decided")
    assert event.approval["status"] == "approved"
    assert event.actions == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"left_out": ("iban",), "can_vote_here": False},
        {"snapshot": {**SNAPSHOT, "status": "expired"}},
    ],
    ids=["a material field is hidden", "it is over"],
)
async def test_what_cannot_be_decided_there_carries_no_token(
    changes: dict[str, object], channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    await channel.post(card(**changes), to="erp", key="dlv_1")

    assert hooks.received()[0].actions == {}


async def test_an_endpoint_without_a_person_is_told_and_cannot_answer(
    hooks: HooksStandIn, clock: ManualClock, tokens: Tokens
) -> None:
    deaf = channel_of(clock, tokens, target(hooks.url, person=None))

    await deaf.post(card(), to="erp", key="dlv_1")

    assert hooks.received()[0].actions == {}


async def test_hidden_fields_do_not_leave(channel: WebhookChannel, hooks: HooksStandIn) -> None:
    await channel.post(card(left_out=("iban",)), to="erp", key="dlv_1")

    [event] = hooks.received()
    assert b"ES91" not in event.body
    assert event.data["hidden"] == ["iban"]
    assert event.approval["details"] == {"order": "17"}


async def test_a_large_approval_leaves_its_details_out_and_says_so(
    channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    large = {**SNAPSHOT, "details": {"plan": "é" * 15_000}, "call": {"name": "x" * 15_000}}

    ref = await channel.post(card(snapshot=large), to="erp", key="dlv_1")

    [event] = hooks.received()
    assert len(event.body) <= 20_000
    assert event.data["left_out"] == ["details"]
    assert ref.left_out == ("details",)
    assert event.actions == {}
    assert event.approval["digest"] == card().digest


async def test_a_callback_url_hears_of_the_decision_alone_signed_with_its_own_secret(
    clock: ManualClock, tokens: Tokens, channel: WebhookChannel
) -> None:
    secret = tokens.callback_secret(approval=card().approval)
    asker = HooksStandIn([secret], clock=clock, ids=SystemIds())
    async with served(asker.app) as url:
        asker.at(url)
        await channel.post(card(), to=asker.url, key="dlv_1")
        await channel.post(card(event="approval.updated"), to=asker.url, key="dlv_2")
        await channel.post(card(event="approval.decided"), to=asker.url, key="dlv_3")

    assert [event.id for event in asker.received()] == ["dlv_3"]
    assert asker.received()[0].actions == {}


async def test_a_notice_goes_to_configured_endpoints_only(
    channel: WebhookChannel, hooks: HooksStandIn
) -> None:
    notice = Notice(title="Stuck", text="Undoing fails", url=f"{BASE}/runs/run_1")

    with pytest.raises(RecipientUnknown):
        await channel.tell(notice, to=hooks.url, key="dlv_1")
    await channel.tell(notice, to="erp", key="dlv_2")

    [event] = hooks.received("operators.told")
    assert event.data["notice"] == {
        "title": "Stuck", "text": "Undoing fails", "url": f"{BASE}/runs/run_1", "url_label": None,
    }  # fmt: skip


async def test_an_address_is_told_of_a_run_that_it_follows_signed_for_that_run(
    clock: ManualClock, tokens: Tokens
) -> None:
    run = {"id": "run_1", "workflow": "refund", "approval": None, "event": "run.failed"}
    notice = Notice(title="refund failed", text="Run run_1 failed.", event="run.failed", run=run)
    secret = tokens.callback_secret(approval="run_1")
    follower = HooksStandIn([secret], clock=clock, ids=SystemIds())

    async with served(follower.app) as url:
        follower.at(url)
        await channel_of(clock, tokens).tell(notice, to=follower.url, key="dlv_1")

    [event] = follower.received("run.failed")
    assert event.data["run"] == run


def answering(status: int, headers: dict[str, str]) -> Starlette:
    """An endpoint that always gives this answer."""

    async def answer(request: Request) -> Response:
        return Response(status_code=status, headers=headers)

    return Starlette(routes=[Route("/", answer, methods=["POST"])])
