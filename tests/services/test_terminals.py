"""A terminal gets its session once, after its person confirmed the code it shows."""

from datetime import timedelta
from functools import partial

import pytest

from engine.ids import DEFAULT_TENANT
from engine.services import sign_ins
from engine.services.sign_ins import Session, Terminal
from engine.store.database import Database
from tests.clock import ManualClock
from tests.services.rows import ANA, given_company, given_disabled

pytestmark = pytest.mark.anyio


async def begun(database: Database, who: str = "ana@example.com") -> Terminal:
    await given_company(database)
    return await database.write(
        partial(sign_ins.begin_terminal, person_or_email=who, homes=[DEFAULT_TENANT])
    )


async def polled(database: Database, secret: str) -> Session | None:
    return await database.write(partial(sign_ins.poll_terminal, device_secret=secret))


async def confirmed(database: Database, terminal: Terminal) -> None:
    assert terminal.link is not None
    token = terminal.link.token
    assert await database.write(lambda tx: sign_ins.confirm(tx, token)) is None


@pytest.mark.parametrize("who", ["eve@example.com", "eve", "person:eve", "", "@", "\ud800"])
async def test_a_terminal_of_a_stranger_waits_in_vain(database: Database, who: str) -> None:
    known = await begun(database)

    stranger = await begun(database, who)

    assert stranger.link is None
    assert len(stranger.code) == len(known.code)
    assert stranger.expires_at == known.expires_at
    assert await polled(database, stranger.device_secret) is None


async def test_nothing_is_handed_out_before_the_person_confirms(database: Database) -> None:
    terminal = await begun(database)
    assert terminal.link is not None
    await database.read(partial(sign_ins.view, token=terminal.link.token))

    for secret in (terminal.device_secret, terminal.link.token, terminal.code, "", "\ud800"):
        assert await polled(database, secret) is None


async def test_the_mailed_link_gives_its_finder_no_session(database: Database) -> None:
    terminal = await begun(database)
    await confirmed(database, terminal)
    assert terminal.link is not None

    assert await polled(database, terminal.link.token) is None
    assert await polled(database, terminal.device_secret) is not None


async def test_the_session_is_handed_out_once(database: Database) -> None:
    terminal = await begun(database, "person:ana")
    await confirmed(database, terminal)

    session = await polled(database, terminal.device_secret)

    assert session is not None
    assert session.person == ANA
    assert await polled(database, terminal.device_secret) is None


async def test_a_confirmed_terminal_that_never_came_back_gets_nothing(
    database: Database, clock: ManualClock
) -> None:
    terminal = await begun(database)
    await confirmed(database, terminal)

    await clock.advance(timedelta(minutes=11))

    assert await polled(database, terminal.device_secret) is None


async def test_who_was_disabled_meanwhile_gets_nothing(database: Database) -> None:
    terminal = await begun(database)
    await confirmed(database, terminal)
    await given_disabled(database, ANA)

    assert await polled(database, terminal.device_secret) is None


async def test_the_page_shows_the_code_of_the_terminal(database: Database) -> None:
    terminal, other = await begun(database), await begun(database)
    assert terminal.link is not None

    seen = await database.read(partial(sign_ins.view, token=terminal.link.token))

    assert seen.code == terminal.code
    assert other.code != terminal.code


async def test_a_terminal_may_be_idle_for_twelve_hours(
    database: Database, clock: ManualClock
) -> None:
    terminal = await begun(database)
    await confirmed(database, terminal)
    session = await polled(database, terminal.device_secret)
    assert session is not None

    await clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert await database.read(partial(sign_ins.session_of, token=session.token)) is not None

    await clock.advance(timedelta(seconds=1))
    assert await database.read(partial(sign_ins.session_of, token=session.token)) is None
