"""A personal link opens one version for one person, and its page decides once."""

from datetime import timedelta
from functools import partial

import pytest

from engine.errors import Conflict, EngineError, NotFound, Refused, Superseded
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId
from engine.rules.states import ApprovalStatus
from engine.services import links
from engine.services.links import LinkState
from engine.store.database import Database, Transaction
from engine.tokens import Tokens
from tests.clock import NOON, ManualClock
from tests.fixtures import SECRET
from tests.services.rows import (
    ANA,
    APPROVAL,
    BO,
    count,
    everything,
    given_approval,
    given_company,
    given_disabled,
    set_approval,
)

pytestmark = pytest.mark.anyio


async def given_link(
    database: Database, *, person: PersonId = ANA, version: int = 1, serial: int = 1
) -> str:
    await database.write(
        lambda tx: links.mint(
            tx, DEFAULT_TENANT, approval=APPROVAL, version=version, person=person, serial=serial
        )
    )
    return Tokens(SECRET).respond(approval=APPROVAL, version=version, person=person, serial=serial)


@pytest.fixture
async def token(database: Database) -> str:
    await given_company(database)
    await given_approval(database)
    return await given_link(database)


async def state(database: Database, token: str) -> LinkState:
    return (await database.read(partial(links.view, token=token))).state


async def test_whatever_is_no_link_gets_one_answer(database: Database, token: str) -> None:
    hostile = [
        "", ">", token[:-1], token + "x", token.swapcase(), "../" + token, token + "\n", "\ud800",
        "é", "\x00", "a" * 100_000, "' OR 1=1 --", f"{token} {token}",
    ]  # fmt: skip

    for text in hostile:
        with pytest.raises(NotFound, match="There is nothing here"):
            await database.read(partial(links.view, token=text))
        with pytest.raises(NotFound, match="There is nothing here"):
            await database.write(partial(links.nonce, token=text))
        with pytest.raises(NotFound, match="There is nothing here"):
            await database.write(partial(links.spend, token=text, nonce="n"))


async def test_a_link_made_with_another_secret_opens_nothing(
    database: Database, token: str
) -> None:
    forged = Tokens(b"x" * 32).respond(approval=APPROVAL, version=1, person=ANA, serial=1)

    with pytest.raises(NotFound):
        await database.read(partial(links.view, token=forged))


async def test_a_link_of_a_disabled_person_opens_nothing(database: Database, token: str) -> None:
    await given_disabled(database, ANA)

    with pytest.raises(NotFound):
        await database.read(partial(links.view, token=token))


async def test_a_page_decides_once(database: Database, token: str) -> None:
    nonce = await database.write(partial(links.nonce, token=token))
    await database.write(partial(links.spend, token=token, nonce=nonce))

    with pytest.raises(Conflict) as refused:
        await database.write(partial(links.spend, token=token, nonce=nonce))

    assert refused.value.code == "page_used"


async def test_a_page_that_is_older_than_ten_minutes_decides_nothing(
    database: Database, token: str, clock: ManualClock
) -> None:
    nonce = await database.write(partial(links.nonce, token=token))
    await clock.advance(timedelta(minutes=10))

    with pytest.raises(Conflict) as refused:
        await database.write(partial(links.spend, token=token, nonce=nonce))

    assert refused.value.code == "page_expired"


async def test_a_nonce_belongs_to_its_own_page(database: Database, token: str) -> None:
    other = await given_link(database, person=BO)
    theirs = await database.write(partial(links.nonce, token=other))

    for nonce in (theirs, "", "garbage", "\ud800", "a" * 10_000, token):
        with pytest.raises(Conflict) as refused:
            await database.write(partial(links.spend, token=token, nonce=nonce))
        assert refused.value.code == "page_expired"
    assert (await database.write(partial(links.spend, token=other, nonce=theirs))).person == BO


async def test_a_refused_vote_gives_the_nonce_back(database: Database, token: str) -> None:
    nonce = await database.write(partial(links.nonce, token=token))

    def refused(tx: Transaction) -> None:
        links.spend(tx, token, nonce)
        raise Refused("A comment is required.")

    with pytest.raises(EngineError):
        await database.write(refused)

    assert (await database.write(partial(links.spend, token=token, nonce=nonce))).person == ANA


async def test_a_link_to_an_older_version_says_so(database: Database, token: str) -> None:
    nonce = await database.write(partial(links.nonce, token=token))
    await set_approval(database, version=2)

    with pytest.raises(Superseded):
        await database.write(partial(links.spend, token=token, nonce=nonce))

    assert await state(database, token) is LinkState.SUPERSEDED
    assert await state(database, await given_link(database, version=2)) is LinkState.LIVE


async def test_a_link_that_was_taken_back_says_so(database: Database, token: str) -> None:
    other = await given_link(database, person=BO)
    nonce = await database.write(partial(links.nonce, token=token))
    revoked = await database.write(lambda tx: links.revoke_for(tx, APPROVAL, person=ANA))
    await given_link(database)

    with pytest.raises(Refused) as refused:
        await database.write(partial(links.spend, token=token, nonce=nonce))

    assert revoked == 1
    assert refused.value.code == "link_revoked"
    assert await state(database, token) is LinkState.REVOKED
    assert await state(database, other) is LinkState.LIVE


async def test_a_link_of_an_ended_approval_leaves_the_answer_to_the_one_door(
    database: Database, token: str
) -> None:
    nonce = await database.write(partial(links.nonce, token=token))
    await database.write(lambda tx: links.revoke_for(tx, APPROVAL))
    await set_approval(database, status=ApprovalStatus.APPROVED, ended_at=NOON)

    found = await database.write(partial(links.spend, token=token, nonce=nonce))

    assert found.state is LinkState.ENDED


async def test_revoking_for_another_approval_changes_nothing(
    database: Database, token: str
) -> None:
    assert await database.write(lambda tx: links.revoke_for(tx, ApprovalId("apr_2"))) == 0
    assert await state(database, token) is LinkState.LIVE


@pytest.mark.parametrize("clinging", ["", ">", ")", ".", ">.", '">', ")),"])
async def test_what_clings_to_a_mailed_link_does_no_harm(
    database: Database, token: str, clinging: str
) -> None:
    found = await database.read(partial(links.view, token=token + clinging))

    assert (found.approval, found.version, found.person) == (APPROVAL, 1, ANA)


async def test_a_retried_mail_carries_the_same_link(database: Database, token: str) -> None:
    assert await given_link(database) == token
    assert await given_link(database, serial=2) != token
    assert await count(database, "links") == 2


async def test_neither_token_nor_nonce_is_kept(database: Database, token: str) -> None:
    nonce = await database.write(partial(links.nonce, token=token))

    rows = [await everything(database, name) for name in ("links", "nonces")]

    assert not any(secret in row for row in rows for secret in (token, nonce))


async def test_old_nonces_are_forgotten(database: Database, token: str, clock: ManualClock) -> None:
    for _ in range(5):
        await database.write(partial(links.nonce, token=token))
    await clock.advance(timedelta(minutes=11))

    await database.write(partial(links.nonce, token=token))

    assert await count(database, "nonces") == 1
