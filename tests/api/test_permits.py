"""The doors to permits: signed for one target and one effect, spent once, and refused for everything else."""

import base64
import json
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response

from bot.demo.serving import served
from engine.services.keys import Scope
from signoff import Client, NoEffect, SignoffError, StepInfo
from signoff.permits import verify
from tests.api.desk import ANA, ASKED, DANA, Desk, Known, code

pytestmark = pytest.mark.anyio

CLAIM = {"request_id": "order-17", "action": "refund", "payload": {"order": "17"}}
PAYLOAD = {"order": "17"}
EFFECT = {"action": "refund", "payload": PAYLOAD}
KEYS = "/.well-known/signoff-permits"


class Counter:
    """Whoever claims, the bank that takes permits, and a bank that is another one."""

    def __init__(self, tools: Known, bank: Known, thief: Known) -> None:
        self.tools, self.bank, self.thief = tools, bank, thief

    @classmethod
    async def of(cls, desk: Desk) -> "Counter":
        tools = await desk.key(Scope.RECEIPTS, Scope.APPROVALS_ASK, Scope.READ)
        return cls(tools, await desk.key(Scope.PERMITS), await desk.key(Scope.PERMITS))

    async def claim(self, **more: object) -> dict[str, Any]:
        claim: dict[str, Any] = (await self.tools.post("/api/receipts", {**CLAIM, **more})).json()
        assert claim["granted"], claim
        return claim

    async def ask(self, claim: dict[str, Any], **more: object) -> Response:
        path = f"/api/receipts/{claim['receipt']['execution_id']}/permit"
        return await self.tools.post(path, {"token": claim["token"], "audience": "bank", **more})

    async def permit(self, **more: object) -> tuple[dict[str, Any], str]:
        """A claim, and a permit for it."""
        claim = await self.claim(**more)
        issued = await self.ask(claim)
        assert issued.status_code == 201, issued.text
        return claim, issued.json()["permit"]

    async def settle(self, claim: dict[str, Any], outcome: str) -> None:
        path = f"/api/receipts/{claim['receipt']['execution_id']}/settle"
        ended = await self.tools.post(path, {"outcome": outcome, "token": claim["token"]})
        assert ended.status_code == 200, ended.text


def taking(permit: str, **more: object) -> dict[str, object]:
    return {"permit": permit, "spend_id": "s1", "audience": "bank", **EFFECT, **more}


async def spend(by: Known, permit: str, **more: object) -> Response:
    return await by.post("/api/permits/spend", taking(permit, **more))


@pytest.fixture
async def counter(desk: Desk) -> Counter:
    return await Counter.of(desk)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"token": "x" * 40}, (409, "claim_lost")),
        ({"audience": " "}, (422, "bad_audience")),
        ({"audience": "a\nb"}, (422, "bad_audience")),
        ({"lasts_s": 61}, (422, "invalid_request")),
        ({"lasts_s": 0}, (422, "invalid_request")),
    ],
)
async def test_a_permit_is_for_whoever_was_granted_the_effect_and_is_short(
    counter: Counter, more: dict[str, object], expected: tuple[int, str]
) -> None:
    claim = await counter.claim()

    assert code(await counter.ask(claim, **more)) == expected


async def test_whoever_spends_cannot_claim_nor_ask_for_permits(counter: Counter) -> None:
    claim, permit = await counter.permit()
    path = f"/api/receipts/{claim['receipt']['execution_id']}/permit"

    for refused in (
        await counter.bank.post("/api/receipts", CLAIM),
        await counter.bank.post(path, {"token": claim["token"], "audience": "bank"}),
        await spend(counter.tools, permit),
    ):
        assert code(refused) == (403, "missing_scope")


async def test_what_is_no_permit_is_refused(counter: Counter) -> None:
    for garbage in ("", ".", "x", "x.y", "a.b.c", "é.é", "A" * 12_000, "e30.e30", "%00.%00"):
        assert code(await spend(counter.bank, garbage)) == (422, "bad_permit")


async def test_what_is_too_long_is_refused_unread(counter: Counter) -> None:
    for length, expected in ((12_289, (422, "invalid_request")), (1_100_000, (413, "too_large"))):
        assert code(await spend(counter.bank, "A" * length)) == expected


async def test_a_permit_that_was_altered_or_spelled_otherwise_is_none(counter: Counter) -> None:
    _claim, permit = await counter.permit()
    words, signature = permit.split(".")
    said = json.loads(base64.urlsafe_b64decode(words + "=="))
    other = json.dumps({**said, "audience": "mint"}).encode()
    forged = base64.urlsafe_b64encode(other).rstrip(b"=").decode()

    for each in (
        f"{forged}.{signature}",
        f"{words}=.{signature}",
        f"{words}.{words}",
        f" {permit}",
    ):
        assert code(await spend(counter.bank, each)) == (422, "bad_permit")
    assert (await spend(counter.bank, permit)).status_code == 200


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"audience": "mint"}, "permit_audience"),
        ({"payload": {"order": "18"}}, "permit_effect"),
        ({"payload": None}, "permit_effect"),
        ({"action": "pay"}, "permit_effect"),
    ],
)
async def test_for_another_target_or_effect_it_is_refused_on_record_and_not_spent(
    desk: Desk, counter: Counter, more: dict[str, object], expected: str
) -> None:
    _claim, permit = await counter.permit()

    refused = await spend(counter.bank, permit, **more)
    operator = await desk.person(DANA)
    told = (await operator.get("/api/audit?kind=permit.refused")).json()["entries"]

    assert code(refused) == (403, expected)
    assert [each["data"]["why"] for each in told] == [expected]
    assert (await spend(counter.bank, permit)).status_code == 200


async def test_it_is_spent_once_and_a_repeat_by_the_same_is_answered_the_same(
    desk: Desk, counter: Counter
) -> None:
    claim, permit = await counter.permit()
    second = (await counter.ask(claim)).json()["permit"]

    first = await spend(counter.bank, permit)
    again = await spend(counter.bank, permit)
    others = [
        await spend(counter.thief, permit),
        await spend(counter.bank, permit, spend_id="s2"),
        await spend(counter.bank, second),
        await counter.ask(claim),
    ]
    receipt = await counter.tools.get(f"/api/receipts/{claim['receipt']['execution_id']}")
    report = await (await desk.person(DANA)).get("/api/audit/verify")

    assert (first.status_code, first.json()["ok"]) == (200, True)
    assert first.json() == again.json()
    assert [code(each) for each in others] == [(409, "permit_spent")] * 4
    assert receipt.json()["spent"]["spent_by"] == first.json()["spent_by"]
    assert report.json()["is_whole"]


@pytest.mark.parametrize("outcome", ["succeeded", "failed_no_effect", "unknown"])
async def test_once_the_claim_is_over_its_permit_is_good_for_nothing(
    counter: Counter, outcome: str
) -> None:
    claim, permit = await counter.permit()
    await counter.settle(claim, outcome)

    refused = await spend(counter.bank, permit)

    assert code(refused) == (409, "permit_void")
    assert code(await counter.ask(claim)) == (409, "claim_lost")


async def test_nobody_is_believed_that_nothing_happened_once_it_was_spent(
    counter: Counter,
) -> None:
    claim, permit = await counter.permit()
    assert (await spend(counter.bank, permit)).status_code == 200
    path = f"/api/receipts/{claim['receipt']['execution_id']}/settle"
    nothing = {"outcome": "failed_no_effect"}

    held = await counter.tools.post(path, {**nothing, "token": claim["token"]})
    await counter.settle(claim, "unknown")
    found = await counter.tools.post(path, nothing)

    assert [code(held), code(found)] == [(409, "permit_spent")] * 2
    assert (await counter.tools.post("/api/receipts", CLAIM)).json()["granted"] is False


async def test_a_claim_that_is_granted_anew_needs_a_permit_of_its_own(
    desk: Desk, counter: Counter
) -> None:
    claim, permit = await counter.permit()
    assert (await spend(counter.bank, permit)).status_code == 200
    await counter.settle(claim, "unknown")
    path = f"/api/receipts/{claim['receipt']['execution_id']}/settle"
    said = {"outcome": "failed_no_effect", "reason": "Its books say so."}
    operator = await desk.person(DANA)
    assert (await operator.post(path, said)).status_code == 200

    _anew, other = await counter.permit()

    assert code(await spend(counter.bank, permit)) == (409, "permit_void")
    assert (await spend(counter.bank, other)).status_code == 200


async def test_after_its_end_a_repeat_is_still_answered(counter: Counter) -> None:
    claim, permit = await counter.permit()
    first = await spend(counter.bank, permit)
    await counter.settle(claim, "succeeded")

    assert (await spend(counter.bank, permit)).json() == first.json()


async def test_under_a_kill_switch_none_is_given_nor_spent(desk: Desk, counter: Counter) -> None:
    claim, permit = await counter.permit()
    operator = await desk.person(DANA)
    halt = {"action": "engage", "scope": "tenant", "reason": "Stop."}
    assert (await operator.post("/api/kill-switch", halt)).status_code == 200

    assert code(await spend(counter.bank, permit)) == (409, "kill_switch")
    assert code(await counter.ask(claim)) == (409, "kill_switch")

    await operator.post("/api/kill-switch", {**halt, "action": "release"})
    assert (await spend(counter.bank, permit)).status_code == 200


async def test_it_names_the_approval_that_allowed_the_effect(desk: Desk, counter: Counter) -> None:
    asked = (await counter.tools.post("/api/approvals", {**ASKED, "quorum": 1})).json()
    vote = {"choice": "approve", "digest": asked["digest"]}
    await (await desk.person(ANA)).post(f"/api/approvals/{asked['id']}/votes", vote)

    _claim, permit = await counter.permit(requires=asked["id"])
    spent = (await spend(counter.bank, permit)).json()

    assert (spent["approval"], spent["digest"]) == (asked["id"], asked["digest"])


async def test_anybody_can_check_it_with_the_public_key(desk: Desk, counter: Counter) -> None:
    _claim, permit = await counter.permit()

    found = (await desk.stranger.get(f"{KEYS}?tenant=default")).json()["keys"]
    other = (await desk.stranger.get(f"{KEYS}?tenant=acme")).json()["keys"]
    now = desk.application.clock.now()
    checked = verify(
        permit, found[0]["key"], action="refund", payload=PAYLOAD, audience="bank", now=now
    )

    assert (checked.request_id, checked.key) == ("order-17", found[0]["id"])
    assert found[0]["key"] != other[0]["key"]


async def test_an_effect_is_handed_its_permit_and_the_target_spends_it(
    app: FastAPI, desk: Desk
) -> None:
    tools, bank = await desk.key(Scope.RECEIPTS), await desk.key(Scope.PERMITS)
    async with served(app) as url, Client(url, bank.token) as target:

        async def refund(payload: object, *, step: StepInfo) -> str:
            spent = await target.permits.spend(
                step.permit or "",
                step.request_id,
                audience="bank",
                action="refund",
                payload=payload,
            )
            return spent.spend_id

        async def begin(payload: object, *, step: StepInfo) -> None:
            await refund(payload, step=step)
            raise NoEffect("the bank is closed")

        async with Client(url, tools.token) as client:
            made = await client.receipts.once(
                "order-17", "refund", PAYLOAD, refund, audience="bank"
            )
            begun = await client.receipts.once(
                "order-19", "refund", PAYLOAD, begin, audience="bank"
            )
            none = await client.receipts.once("order-18", "refund", None, refund, audience=" ")
        keys = await target.permits.keys("default")
        with pytest.raises(SignoffError, match="no permit of this organisation"):
            await target.permits.spend(
                "x.y", "1", audience="bank", action="refund", payload=PAYLOAD
            )

    assert (made.ok, made.result) == (True, "order-17")
    assert (none.state, none.reason[:40]) == (
        "failed_no_effect",
        "failed_no_effect:NoEffect: It got no per",
    )
    assert (begun.state, "order-19" in str(begun.error)) == ("unknown", True)
    assert keys[0].startswith("ed25519:")
