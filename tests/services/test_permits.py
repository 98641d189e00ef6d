"""Permits: one spending for each claim, for as long as it is good, under this tenant's own keys."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

import engine.permits
from engine.errors import EngineError, Invalid
from engine.ids import DEFAULT_TENANT, TenantId
from engine.permits import TOKEN_CHARS_MAX
from engine.services import auditing, claiming, permits
from engine.services.claiming import Asked
from engine.services.permits import LASTS_MAX, Issued, Spending, Spent, Wanted
from engine.signing import Signer
from engine.store.database import Database
from engine.tokens import Tokens
from signoff.permits import (
    NotOurs,
    OtherAudience,
    OtherEffect,
    Permit,
    PermitExpired,
    PermitRefused,
    verify,
)
from tests.clock import NOON, ManualClock
from tests.engine.stage import Stage
from tests.fixtures import SECRET
from tests.services.test_rotating import ALONE, BOTH, under

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
PAYLOAD = {"order": "17", "amount": "62.00", "ratio": 0.1, "naïve": [1e21, None]}
ASKED = Asked(
    tenant=DEFAULT_TENANT, namespace="default", request_id="order-17", action="refund",
    payload=PAYLOAD, token="t" * 30, by="key:tools", lease_for=timedelta(minutes=5),
)  # fmt: skip
SPENDING = Spending(
    token="", spend_id="s1", audience="bank", action="refund", payload=PAYLOAD, by="key:bank"
)
ACME = TenantId("acme")


async def issued(database: Database, asked: Asked = ASKED) -> Issued:
    """A permit for the bank, of a claim."""
    ours = database.of(asked.tenant)
    row = (await ours.write(lambda tx: claiming.claim(tx, asked))).row
    assert row is not None
    wanted = Wanted(token=asked.token, audience="bank")
    return await ours.write(lambda tx: permits.issue(tx, asked.tenant, row.execution, wanted))


async def spend(database: Database, spending: Spending, tenant: TenantId = DEFAULT_TENANT) -> Spent:
    return await database.of(tenant).write(lambda tx: permits.spend(tx, tenant, spending))


def verified(token: str, **more: Any) -> Permit:
    """As the target sees it that has our public key, and not our database."""
    given = {"action": "refund", "payload": PAYLOAD, "audience": "bank", "now": NOON, **more}
    given = {"key": permits.trusted(Tokens(SECRET), DEFAULT_TENANT), **given}
    return verify(token, **given)


def made_by_hand() -> str:
    """A permit as it is issued, without a database."""
    signer = Signer(Tokens(SECRET).permit_seeds(DEFAULT_TENANT)[0])
    said = engine.permits.Permit(
        id="prm_1", tenant=DEFAULT_TENANT, key=engine.permits.key_id(signer.public), audience="bank",
        namespace="default", request_id="order-17", action="refund", fingerprint=ASKED.fingerprint,
        receipt="exe_1", attempt=1, approval=None, digest=None, issued_at=NOON,
        expires_at=NOON + LASTS_MAX,
    )  # fmt: skip
    return engine.permits.signed(said, signer)


async def refused(spending: Awaitable[Spent]) -> str:
    """The code with which it is refused; empty if it is not."""
    try:
        (await spending).told()
    except EngineError as error:
        return error.code
    return ""


async def test_of_all_who_spend_at_once_one_may(database: Database) -> None:
    permit = await issued(database)
    tries = [
        replace(SPENDING, token=permit.token, by=f"key:{number % 4}", spend_id=f"s{number}")
        for number in range(16)
    ]

    codes = await asyncio.gather(*(refused(spend(database, each)) for each in tries))
    report = await auditing.verify(database, DEFAULT_TENANT, trusted=[])

    assert sorted(codes) == ["", *["permit_spent"] * 15]
    assert report.findings == []


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (LASTS_MAX - timedelta(microseconds=1), ""),
        (LASTS_MAX, "permit_expired"),
        (HOUR, "permit_expired"),
        (-HOUR, "permit_expired"),
    ],
)
async def test_it_is_good_for_a_minute_whatever_becomes_of_the_clock(
    database: Database, clock: ManualClock, by: timedelta, code: str
) -> None:
    permit = await issued(database)
    await clock.advance(by)

    assert await refused(spend(database, replace(SPENDING, token=permit.token))) == code


async def test_it_ends_with_its_claim(database: Database, clock: ManualClock) -> None:
    permit = await issued(database, replace(ASKED, lease_for=timedelta(seconds=10)))

    assert permit.permit.expires_at == clock.now() + timedelta(seconds=10)


async def test_another_tenants_permit_is_none(database: Database) -> None:
    theirs = await issued(database, replace(ASKED, tenant=ACME))
    spending = replace(SPENDING, token=theirs.token)

    with pytest.raises(Invalid, match="no permit of this organisation"):
        await spend(database, spending)
    assert await refused(spend(database, spending, ACME)) == ""


async def test_a_permit_of_the_secret_before_holds_as_long_as_that_is_given(
    database: Database,
) -> None:
    permit = await issued(database)
    spending = replace(SPENDING, token=permit.token)
    deed = partial(permits.spend, tenant=DEFAULT_TENANT, spending=spending)

    with pytest.raises(Invalid):
        await database.write(under(ALONE, deed))
    spent = await database.write(under(BOTH, deed))
    keys = permits.trusted(BOTH, DEFAULT_TENANT)

    assert spent.told()["ok"] is True
    assert verified(permit.token, key=keys).id == permit.permit.id
    with pytest.raises(NotOurs):
        verified(permit.token, key=permits.trusted(ALONE, DEFAULT_TENANT))


@pytest.mark.parametrize("change", ["status = 'cancelled'", "digest = 'sha256:other'"])
async def test_an_approval_that_holds_no_more_lets_nobody_spend(
    database: Database, clock: ManualClock, change: str
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    run = await stage.start("paid-refund")
    approval = (await stage.picture(run)).approvals[-1].id
    for person in ("ana", "bo"):
        await stage.vote(run, person)
    permit = await issued(database, replace(ASKED, requires=approval))
    await database.write(lambda tx: tx.connection.execute(text(f"UPDATE approvals SET {change}")))

    assert permit.permit.approval == approval
    assert await refused(spend(database, replace(SPENDING, token=permit.token))) == "permit_void"


async def test_the_longest_names_there_may_be_fit_into_a_token(database: Database) -> None:
    asked = replace(
        ASKED, namespace="\U00020000" * 500, request_id="\U00020000" * 500, action="\x01" * 200
    )
    row = (await database.write(lambda tx: claiming.claim(tx, asked))).row
    assert row is not None
    wanted = Wanted(token=asked.token, audience="\U00020000" * 200)
    permit = await database.write(
        lambda tx: permits.issue(tx, DEFAULT_TENANT, row.execution, wanted)
    )
    spending = replace(SPENDING, token=permit.token, audience=wanted.audience, action=asked.action)

    assert len(permit.token) <= TOKEN_CHARS_MAX
    assert await refused(spend(database, spending)) == ""


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"audience": "mint"}, OtherAudience),
        ({"action": "pay"}, OtherEffect),
        ({"payload": {**PAYLOAD, "amount": "6200.00"}}, OtherEffect),
        ({"payload": object()}, OtherEffect),
        ({"payload": 2**60}, OtherEffect),
        ({"now": NOON - HOUR}, PermitExpired),
        ({"now": NOON + HOUR}, PermitExpired),
        ({"now": NOON + timedelta(seconds=66)}, PermitExpired),
        ({"key": []}, NotOurs),
        ({"key": permits.trusted(ALONE, DEFAULT_TENANT)}, NotOurs),
    ],
)
def test_a_target_on_its_own_refuses_what_is_not_for_it(
    more: dict[str, object], why: type[PermitRefused]
) -> None:
    permit = made_by_hand()

    with pytest.raises(why):
        verified(permit, **more)
    assert verified(permit).request_id == "order-17"


@pytest.mark.parametrize(
    "garbage", ["", ".", "x.y", "a.b.c", "é.é", "\ud800.x", "e30.e30", "A" * 99_999]
)
def test_what_is_no_permit_is_not_ours(garbage: str) -> None:
    with pytest.raises(NotOurs):
        verified(garbage)


def test_a_key_that_is_none_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="no public key"):
        verified("e30.e30", key="ed25519:x")
