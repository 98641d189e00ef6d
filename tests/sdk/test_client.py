"""The client over real HTTP: what it refuses, what it sends again, and what it hands back."""

import socket
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from signoff import (
    Cancelled,
    ChangesRequested,
    Client,
    Decision,
    Expired,
    Rejected,
    SignoffError,
)
from signoff.outcomes import ApprovalEnded
from tests.sdk.conftest import LosesAnswers, Site
from tests.sdk.desk import KEY, Desk

pytestmark = pytest.mark.anyio

AT_ONCE = timedelta(0)


@pytest.mark.usefixtures("no_env")
def test_without_a_key_nothing_is_sent_and_the_error_says_where_to_get_one() -> None:
    with pytest.raises(SignoffError, match="signoff keys create") as refused:
        Client("http://127.0.0.1:8080")

    assert refused.value.code == "no_key"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://example.com", "http://", "https:///path", "/"]
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(SignoffError, match="is no address") as refused:
        Client(url, KEY)

    assert refused.value.code == "bad_url"


async def test_a_wrong_key_is_refused_with_the_servers_words(site: Site, desk: Desk) -> None:
    async with Client(site.url, "sk_wrong") as client:
        with pytest.raises(SignoffError, match="This key is not known") as refused:
            await client.approval("apr_1")

    assert (refused.value.code, refused.value.status) == ("not_allowed", 401)
    assert len(desk.received) == 1


async def test_a_term_that_does_not_exist_is_refused_before_anything_is_sent(
    client: Client, desk: Desk
) -> None:
    misspelt: Any = {"approvers": "group:finance", "quorums": 2}

    with pytest.raises(TypeError, match="has no quorums"):
        await client.ask("Refund?", **misspelt)
    assert desk.received == []


async def test_an_approval_without_approvers_is_refused_before_anything_is_sent(
    client: Client, desk: Desk
) -> None:
    nobody: Any = {}

    with pytest.raises(TypeError, match="needs approvers"):
        await client.ask("Refund?", **nobody)
    assert desk.received == []


async def test_details_that_are_not_json_are_refused_before_anything_is_sent(
    client: Client, desk: Desk
) -> None:
    with pytest.raises(SignoffError, match="cannot be sent as JSON"):
        await client.ask("Refund?", approvers="person:ana", details={"amount": float("nan")})
    assert desk.received == []


async def test_a_key_that_came_with_other_words_is_a_conflict(client: Client) -> None:
    await client.ask("Refund 17?", approvers="person:ana", idempotency_key="order-17")

    with pytest.raises(SignoffError) as refused:
        await client.ask("Refund 18?", approvers="person:ana", idempotency_key="order-17")
    assert (refused.value.code, refused.value.status) == ("idempotency_conflict", 409)


async def test_an_id_cannot_lead_to_another_address(client: Client, desk: Desk) -> None:
    with pytest.raises(SignoffError, match="There is no approval"):
        await client.approval("../runs/run_1?x=")
    assert desk.received[0].path == "/api/approvals/..%2Fruns%2Frun_1%3Fx%3D"


async def test_a_stranger_at_that_address_is_not_taken_for_signoff(
    client: Client, desk: Desk
) -> None:
    desk.instead = [PlainTextResponse("It works!"), PlainTextResponse("gone", status_code=404)]

    with pytest.raises(SignoffError, match="does not answer like Signoff"):
        await client.approval("apr_1")
    with pytest.raises(SignoffError, match="Is this Signoff's address") as refused:
        await client.approval("apr_1")
    assert refused.value.code == "http_404"


async def test_nobody_there_is_unreachable_after_five_attempts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    async with Client(f"http://127.0.0.1:{port}", KEY, retry_every=AT_ONCE) as client:
        with pytest.raises(SignoffError, match="Is Signoff running there") as refused:
            await client.ask("Refund?", approvers="person:ana")
    assert (refused.value.code, refused.value.status) == ("unreachable", 0)


async def test_a_lost_answer_does_not_ask_twice(site: Site, desk: Desk) -> None:
    async with Client(site.url, KEY, transport=LosesAnswers(2), retry_every=AT_ONCE) as client:
        asked = await client.ask("Refund?", approvers="person:ana")

    assert asked.is_open
    assert len(desk.received) == 3
    assert len({got.headers["idempotency-key"] for got in desk.received}) == 1
    assert len(desk.opened()) == 1


async def test_a_cancellation_whose_answer_was_lost_is_not_sent_again(
    site: Site, desk: Desk
) -> None:
    async with Client(site.url, KEY, transport=LosesAnswers(1), retry_every=AT_ONCE) as client:
        with pytest.raises(SignoffError, match="connection reset"):
            await client.cancel("run_1", reason="wrong order")

    assert len(desk.received) == 1


async def test_a_refusal_is_not_sent_again_but_a_busy_server_is_asked_again(
    client: Client, desk: Desk
) -> None:
    desk.instead = [
        Response(status_code=503, headers={"Retry-After": "0"}),
        Response(status_code=403),
    ]

    with pytest.raises(SignoffError) as refused:
        await client.start("refund", {"order": "17"})
    assert refused.value.status == 403
    assert len(desk.received) == 2


async def test_asking_twice_is_two_requests_because_yesterdays_consent_is_not_todays(
    client: Client,
) -> None:
    first = await client.ask("Deploy?", approvers="group:ops")
    second = await client.ask("Deploy?", approvers="group:ops")

    assert first.id != second.id


async def test_asking_twice_for_one_named_occasion_is_one_request(client: Client) -> None:
    first = await client.ask("Deploy 7?", approvers="group:ops", idempotency_key="deploy-7")
    second = await client.ask("Deploy 7?", approvers="group:ops", idempotency_key="deploy-7")

    assert first == second


async def test_every_term_reaches_the_server_as_written(client: Client, desk: Desk) -> None:
    asked = await client.ask(
        "Refund order 17?",
        action="refund",
        details={"order": "17", "amount": "620.00"},
        approvers=["group:finance", "person:bo"],
        quorum={"finance": 2},
        reject_quorum=1,
        ladder=["reject after 4h"],
        risk="high",
        comment="on_reject",
        requester="person:ana",
        routes={"slack": ["#refunds"]},
        callback_url="https://example.com/decided",
    )

    assert asked.callback_secret == "whsec_once"
    assert "whsec_once" not in repr(asked)
    assert desk.opened()[0]["quorum"] == {"finance": 2}
    assert desk.opened()[0].keys() == {
        "title", "action", "details", "approvers", "quorum", "reject_quorum", "ladder", "risk",
        "comment", "requester", "routes", "callback_url",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "outcome", "raised"),
    [
        pytest.param("rejected", "rejected", Rejected, id="a rejection"),
        pytest.param("expired", "expired", Expired, id="silence"),
        pytest.param("changes_requested", "changes_requested", ChangesRequested, id="changes"),
        pytest.param("cancelled", "cancelled", Cancelled, id="a withdrawal"),
        pytest.param("approved", "surprising", ApprovalEnded, id="an approval that is none"),
        pytest.param("surprising", "approved", ApprovalEnded, id="a state nobody knows"),
    ],
)
async def test_is_never_taken_for_consent(
    client: Client, desk: Desk, status: str, outcome: str, raised: type[ApprovalEnded]
) -> None:
    desk.end(status, outcome=outcome, comment="not this month", by=["bo"])

    with pytest.raises(raised, match="not this month") as ended:
        await client.wait("apr_1")
    assert type(ended.value) is raised
    assert (ended.value.approval, ended.value.by) == ("apr_1", ("bo",))


async def test_an_approval_that_stays_open_times_out_and_stays_open(
    client: Client, desk: Desk
) -> None:
    with pytest.raises(TimeoutError, match="apr_1 is still open"):
        await client.wait("apr_1", timeout=AT_ONCE)

    assert (await client.approval("apr_1")).is_open


async def test_an_open_approval_is_no_decision(client: Client) -> None:
    seen = await client.approval("apr_1", wait=timedelta(milliseconds=1))

    with pytest.raises(RuntimeError, match="still open"):
        seen.decided()


async def test_waiting_outlives_early_answers_and_a_restart_of_the_server(
    client: Client, desk: Desk
) -> None:
    desk.end("approved", by=["ana", "bo"])
    desk.polls_before_the_end = 3
    desk.instead = [Response(status_code=502) for _ in range(7)]

    decision = await client.wait("apr_1")

    assert isinstance(decision, Decision)
    assert (decision.outcome, decision.by) == ("approved", ("ana", "bo"))
    assert decision.changes == {}
    assert {got.query for got in desk.received} == {"wait=30"}
    assert len(desk.received) == 7 + 3 + 1


async def test_a_rung_that_goes_on_is_a_decision_with_its_changes(
    client: Client, desk: Desk
) -> None:
    desk.end("expired", outcome="continued", by=[], changes={"amount": "10.00"})

    decision = await client.wait("apr_1")

    assert (decision.outcome, decision.by) == ("continued", ())
    assert decision.changes == {"amount": "10.00"}


async def test_an_approval_is_read_with_its_progress_and_votes(client: Client) -> None:
    seen = await client.approval("apr_1")

    assert seen.progress is not None
    assert (seen.progress.approve.have, seen.progress.approve.need) == (1, 2)
    assert [(vote.person, vote.counted) for vote in seen.votes] == [("ana", True)]


@pytest.mark.parametrize("sandbox", [True, {"pay": "made up"}])
async def test_a_run_is_started_in_a_sandbox(
    client: Client, desk: Desk, sandbox: bool | dict[str, object]
) -> None:
    body = '{"id": "run_1", "status": "created"}'
    desk.instead = [Response(body, status_code=201, media_type="application/json")]

    await client.start("refund", {"order": "17"}, sandbox=sandbox)

    assert desk.received[0].json() == {
        "workflow": "refund",
        "input": {"order": "17"},
        "sandbox": sandbox,
    }


async def test_a_run_is_started_once_read_and_cancelled(client: Client, desk: Desk) -> None:
    started = await client.start("refund", {"order": "17"}, idempotency_key="order-17")
    again = await client.start("refund", {"order": "17"}, idempotency_key="order-17")
    seen = await client.run(started.id)
    await client.cancel(started.id, reason="wrong order")

    assert again == started
    assert (started.has_ended, seen.has_ended, seen.result) == (False, True, 7)
    assert desk.received[0].json() == {"workflow": "refund", "input": {"order": "17"}}
    assert desk.received[-1].path == f"/api/runs/{started.id}/cancel"
