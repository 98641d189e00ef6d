"""A sign-in link works once, for ten minutes, for one person; sessions end when they should."""

from datetime import timedelta
from functools import partial

import pytest

from engine.errors import NotFound
from engine.ids import DEFAULT_TENANT
from engine.services import sign_ins
from engine.services.sign_ins import Session, SignIn
from engine.store.database import Database
from tests.clock import NOON, ManualClock
from tests.services.rows import ANA, audited, count, everything, given_company, given_disabled

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


async def asked(database: Database, email: str = "ana@example.com") -> SignIn | None:
    return await database.write(lambda tx: sign_ins.ask_link(tx, DEFAULT_TENANT, email))


async def given_link(database: Database) -> SignIn:
    await given_company(database)
    link = await asked(database)
    assert link is not None
    return link


async def given_session(database: Database) -> Session:
    link = await given_link(database)
    session = await database.write(lambda tx: sign_ins.confirm(tx, link.token))
    assert session is not None
    return session


async def is_open(database: Database, session: Session) -> bool:
    return await database.read(lambda tx: sign_ins.session_of(tx, session.token)) is not None


@pytest.mark.parametrize(
    "email", ["eve@example.com", "", "ana", "@", "a" * 10_000, "ana@example.com\n,x"]
)
async def test_strangers_get_no_link_and_leave_no_trace(database: Database, email: str) -> None:
    await given_company(database)

    assert await asked(database, email) is None
    assert await count(database, "sign_ins") == 0
    assert await audited(database) == ["configuration.applied"]


async def test_disabled_people_get_no_link(database: Database) -> None:
    await given_company(database)
    await given_disabled(database, ANA)

    assert await asked(database) is None


async def test_the_sixth_link_within_an_hour_is_not_made(
    database: Database, clock: ManualClock
) -> None:
    await given_company(database)

    links = [await asked(database) for _ in range(7)]

    assert [link is None for link in links] == [False] * 5 + [True] * 2
    assert await asked(database, "bo@example.com") is not None
    await clock.advance(60 * MINUTE)
    assert await asked(database) is not None
    await clock.advance(70 * MINUTE)
    assert await asked(database) is not None
    assert await count(database, "sign_ins") == 1


async def test_a_link_works_once(database: Database) -> None:
    link = await given_link(database)
    await database.write(lambda tx: sign_ins.confirm(tx, link.token))

    with pytest.raises(NotFound):
        await database.write(lambda tx: sign_ins.confirm(tx, link.token))
    with pytest.raises(NotFound):
        await database.read(lambda tx: sign_ins.view(tx, link.token))
    assert await count(database, "sessions") == 1


async def test_a_link_is_worthless_after_ten_minutes(
    database: Database, clock: ManualClock
) -> None:
    link = await given_link(database)
    await clock.advance(10 * MINUTE)

    with pytest.raises(NotFound):
        await database.write(lambda tx: sign_ins.confirm(tx, link.token))


async def test_a_link_dies_with_its_person(database: Database) -> None:
    link = await given_link(database)
    await given_disabled(database, ANA)

    with pytest.raises(NotFound):
        await database.write(lambda tx: sign_ins.confirm(tx, link.token))


async def test_garbage_gets_the_same_answer_as_an_old_link(database: Database) -> None:
    link = await given_link(database)
    hostile = [
        "",
        link.token[:-1],
        link.token + "x",
        "a" * 100_000,
        "' OR 1=1",
        "\ud800",
        "é",
        "\x00",
    ]

    for token in hostile:
        with pytest.raises(NotFound, match="is not valid any more"):
            await database.write(partial(sign_ins.confirm, token=token))


async def test_looking_at_a_link_does_not_use_it(database: Database) -> None:
    link = await given_link(database)

    seen = await database.read(lambda tx: sign_ins.view(tx, link.token + ">"))
    session = await database.write(lambda tx: sign_ins.confirm(tx, link.token + ")."))

    assert (seen.person.id, seen.code, seen.expires_at) == (ANA, None, NOON + 10 * MINUTE)
    assert session is not None
    assert (session.person, session.expires_at) == (ANA, NOON + timedelta(hours=12))


async def test_no_token_is_kept(database: Database) -> None:
    link = await given_link(database)
    session = await database.write(lambda tx: sign_ins.confirm(tx, link.token))
    assert session is not None
    rows = [await everything(database, name) for name in ("sign_ins", "sessions", "audit")]

    assert not any(token in row for row in rows for token in (link.token, session.token))
    assert link.token not in repr(link)
    assert session.token not in repr(session)


async def test_a_browser_is_signed_out_after_thirty_idle_minutes(
    database: Database, clock: ManualClock
) -> None:
    session = await given_session(database)
    await clock.advance(29 * MINUTE)
    row = await database.read(lambda tx: sign_ins.session_of(tx, session.token))
    assert row is not None
    assert row.is_use_due
    await database.write(lambda tx: sign_ins.note_use(tx, row))

    await clock.advance(29 * MINUTE)
    assert await is_open(database, session)

    await clock.advance(MINUTE)
    assert not await is_open(database, session)


async def test_a_session_ends_after_twelve_hours_of_use(
    database: Database, clock: ManualClock
) -> None:
    session = await given_session(database)
    for _ in range(35):
        await clock.advance(20 * MINUTE)
        row = await database.read(lambda tx: sign_ins.session_of(tx, session.token))
        assert row is not None
        await database.write(partial(sign_ins.note_use, session=row))

    await clock.advance(20 * MINUTE)

    assert not await is_open(database, session)


async def test_disabled_people_lose_their_sessions_at_once(database: Database) -> None:
    session = await given_session(database)
    assert await is_open(database, session)

    await given_disabled(database, ANA)

    assert not await is_open(database, session)


async def test_signing_out_is_final_and_may_be_repeated(database: Database) -> None:
    session = await given_session(database)

    for token in (session.token, session.token, "garbage", "\ud800"):
        await database.write(partial(sign_ins.end, token=token))

    assert not await is_open(database, session)
    assert (await audited(database))[1:] == ["sign_in.asked", "sign_in.confirmed", "session.ended"]


async def test_sessions_that_ended_long_ago_are_forgotten(
    database: Database, clock: ManualClock
) -> None:
    await given_session(database)
    await clock.advance(timedelta(hours=36, seconds=1))

    link = await asked(database, "bo@example.com")
    assert link is not None
    await database.write(lambda tx: sign_ins.confirm(tx, link.token))

    assert await count(database, "sessions") == 1


async def test_the_first_operator_link_ends_with_the_first_sign_in(
    database: Database,
) -> None:
    def first() -> "partial[SignIn | None]":
        return partial(sign_ins.first_operator_link, tenant=DEFAULT_TENANT)

    assert await database.write(first()) is None
    await given_company(database)
    old, new = await database.write(first()), await database.write(first())
    assert old is not None
    assert new is not None

    with pytest.raises(NotFound):
        await database.write(lambda tx: sign_ins.confirm(tx, old.token))
    session = await database.write(lambda tx: sign_ins.confirm(tx, new.token))

    assert session is not None
    assert session.person == ANA
    assert await database.write(first()) is None


async def test_without_an_active_operator_there_is_no_first_link(database: Database) -> None:
    await given_company(database)
    await given_disabled(database, ANA)

    link = await database.write(lambda tx: sign_ins.first_operator_link(tx, DEFAULT_TENANT))

    assert link is None
