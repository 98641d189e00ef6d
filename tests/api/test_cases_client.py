"""The Python client's cases, and the example with them, against the real doors."""

from datetime import timedelta
from decimal import Decimal

import pytest
from fastapi import FastAPI
from httpx import ASGITransport

from engine.services.keys import Scope
from examples import five_agents
from signoff import Client, SignoffError
from tests.api.desk import Desk

pytestmark = pytest.mark.anyio


async def client(app: FastAPI, desk: Desk, *scopes: Scope) -> Client:
    key = await desk.key(*scopes)
    transport = ASGITransport(app)
    return Client("http://127.0.0.1:8080", key.token, transport=transport, retry_every=timedelta())


async def test_what_the_server_refuses_is_one_exception(app: FastAPI, desk: Desk) -> None:
    async with await client(app, desk) as signoff:
        with pytest.raises(SignoffError) as refused:
            await signoff.cases.open("Did it arrive?", enough="0.5")
        with pytest.raises(SignoffError) as missing:
            await signoff.cases.signal("cas_none", "carrier", "yes")

    assert (refused.value.code, missing.value.code) == ("bad_enough", "not_found")


async def test_sources_with_keys_of_their_own_make_an_outcome_final(
    app: FastAPI, desk: Desk
) -> None:
    carrier, customer = [await client(app, desk, Scope.SIGNALS) for _ in range(2)]
    async with await client(app, desk) as shop, carrier, customer:
        case = await shop.cases.open("Did it arrive?", outcomes=["yes", "no"])
        first = await carrier.cases.signal(case.id, "carrier", "yes", id="e1")
        again = await carrier.cases.signal(case.id, "carrier", "yes", id="e1")
        with pytest.raises(SignoffError) as forged:
            await customer.cases.signal(case.id, "carrier", "no")
        last = await customer.cases.signal(case.id, "customer", "yes", confidence=Decimal("0.9"))
        seen = await shop.cases.get(case.id)
        listed = await shop.cases.list(status="final")

    assert (first.reason, again.reason, forged.value.code) == (
        "counted",
        "repeated",
        "source_taken",
    )
    assert last.case.is_final
    assert seen.standing is not None
    assert (seen.outcome, seen.standing.agreement) == ("yes", Decimal("0.95"))
    assert [each.confidence for each in seen.signals] == [Decimal("1.00"), Decimal("0.90")]
    assert [each.id for each in listed.cases] == [case.id]


async def test_a_case_that_nobody_needs_any_more_is_closed(app: FastAPI, desk: Desk) -> None:
    async with await client(app, desk) as shop:
        case = await shop.cases.open("Did it arrive?", expires_after="7d")
        closed = await shop.cases.close(case.id, reason="The order was cancelled.")
        late = await shop.cases.signal(case.id, "carrier", "yes")

    assert case.expires_at is not None
    assert closed.given_up is not None
    assert case.expires_at - closed.given_up.at == timedelta(days=7)
    assert (closed.status, closed.is_given_up, closed.is_final) == ("closed", True, False)
    assert (late.counted, late.reason) == (False, "late")


async def test_an_effect_is_made_once_for_a_case_that_is_final(app: FastAPI, desk: Desk) -> None:
    made: list[str] = []
    async with await client(app, desk) as shop:
        case = await shop.cases.open("Did it get lost?", collected=True)
        for source in ("carrier", "customer"):
            await shop.cases.signal(case.id, source, "yes")
        first, again = [
            await shop.receipts.once(
                key, "refund", None, lambda: made.append("paid"), requires=case.id, outcome="yes"
            )
            for key in ("order-17", "order-17-again")
        ]
        seen = await shop.cases.get(case.id)

    assert (first.reason, again.reason, made) == ("executed", "already_settled", ["paid"])
    assert (seen.status, seen.settlement) == ("settled", first.execution_id)


@pytest.mark.parametrize(
    ("seed", "status", "outcome", "paid"),
    [(2, "settled", "lost", 1), (1, "final", "arrived", 0), (4, "in_reconciliation", None, 0)],
)
async def test_five_agents_that_agree_have_a_refund_made_once_and_others_ask_people(
    app: FastAPI, desk: Desk, seed: int, status: str, outcome: str | None, paid: int
) -> None:
    payments: list[object] = []
    async with await client(app, desk) as signoff:
        case = await five_agents.demo(signoff, seed=seed, pay_back=payments.append)

    assert (case.status, case.outcome, len(payments)) == (status, outcome, paid)
    assert len(case.signals) == 5
    assert (case.question is None) is (outcome is not None)


def test_the_same_seed_is_the_same_opinion() -> None:
    opinions = [five_agents.opinion(agent, seed=7) for agent in five_agents.AGENTS]

    assert opinions == [five_agents.opinion(agent, seed=7) for agent in five_agents.AGENTS]
    assert opinions != [five_agents.opinion(agent, seed=8) for agent in five_agents.AGENTS]
