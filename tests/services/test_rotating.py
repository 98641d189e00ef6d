"""The server's secret is changed: what the one before made still holds, and only while it is given."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest

from engine import digest
from engine.errors import Invalid, NotAllowed, NotFound
from engine.ids import DEFAULT_TENANT
from engine.services import keys, links, rotating, sign_ins
from engine.services.keys import NewKey
from engine.services.rotating import Taken
from engine.store import links as stored_links
from engine.store import sealing, wrapping
from engine.store.database import Database, Transaction
from engine.store.wrapping import Wrapped
from engine.tokens import Tokens
from tests.fixtures import SECRET
from tests.services.rows import ANA, APPROVAL, audited, given_approval, given_company

pytestmark = pytest.mark.anyio

T = TypeVar("T")
NEW = b"another secret of at least 32 bytes, newer"
BOTH = Tokens(NEW, older=(SECRET,))
ALONE = Tokens(NEW)


def under(tokens: Tokens, deed: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """`deed`, as a process does it that has these secrets."""

    def done(tx: Transaction) -> T:
        tx.tokens = tokens
        return deed(tx)

    return done


@pytest.fixture
async def company(database: Database) -> Database:
    await given_company(database)
    await given_approval(database)
    return database


async def test_an_older_secret_that_is_none_of_ours_is_refused(company: Database) -> None:
    assert await company.write(rotating.take_up) is Taken.FIRST
    mistyped = Tokens(NEW, older=(b"not the secret that came before this one",))

    with pytest.raises(Invalid, match="SIGNOFF_SECRET_KEY_PREVIOUS") as refused:
        await company.write(under(mistyped, rotating.take_up))

    assert refused.value.code == "bad_secret_key"
    assert await company.write(rotating.take_up) is Taken.SAME
    assert await company.write(under(BOTH, rotating.take_up)) is Taken.FOLLOWS
    assert (await audited(company))[-1] == "secret.changed"
    assert await company.write(rotating.take_up) is Taken.REPLACED


async def test_a_key_is_kept_under_the_new_secret_once_it_was_used(company: Database) -> None:
    new = NewKey(name="shop", scopes=["read"])
    made = await company.write(lambda tx: keys.create(tx, DEFAULT_TENANT, new, by="tests"))
    known = partial(keys.authenticate, presented=made[1])

    with pytest.raises(NotAllowed, match="not valid"):
        await company.read(under(ALONE, known))
    with pytest.raises(NotAllowed, match="not valid"):
        await company.read(under(BOTH, lambda tx: keys.authenticate(tx, made[1] + "x")))
    caller = await company.read(under(BOTH, known))
    await company.write(under(BOTH, lambda tx: keys.note_use(tx, caller)))

    assert caller.is_use_due
    assert (await company.read(under(ALONE, known))).key == made[0].id
    assert str(caller).count(caller.hashed or "none") == 0


async def test_whoever_is_signed_in_stays_so_and_a_terminal_gets_its_session(
    company: Database,
) -> None:
    asked = await company.write(lambda tx: sign_ins.ask_link(tx, DEFAULT_TENANT, "ana@example.com"))
    waits = await company.write(
        lambda tx: sign_ins.begin_terminal(tx, "ana@example.com", homes=[DEFAULT_TENANT])
    )

    assert asked is not None
    assert waits.link is not None
    seen = await company.read(under(BOTH, partial(sign_ins.view, token=waits.link.token)))
    await company.write(under(BOTH, partial(sign_ins.confirm, token=waits.link.token)))
    browser = await company.write(partial(sign_ins.confirm, token=asked.token))
    terminal = await company.write(
        under(BOTH, lambda tx: sign_ins.poll_terminal(tx, waits.device_secret))
    )

    assert browser is not None
    assert terminal is not None
    assert seen.code == waits.code
    open_now = partial(sign_ins.session_of, token=browser.token)
    assert await company.read(under(BOTH, open_now)) is not None
    assert await company.read(under(ALONE, open_now)) is None


async def test_a_mailed_link_opens_and_its_mail_carries_the_same_when_it_is_sent_again(
    company: Database,
) -> None:
    named: dict[str, Any] = {"approval": APPROVAL, "version": 1, "person": ANA, "serial": 1}
    await company.write(lambda tx: stored_links.mint(tx, DEFAULT_TENANT, **named))

    token = await company.read(under(BOTH, lambda tx: stored_links.token_of(tx, **named)))
    nonce = await company.write(partial(links.nonce, token=token))

    assert token == Tokens(SECRET).respond(**named)
    with pytest.raises(NotFound):
        await company.read(under(ALONE, partial(links.view, token=token)))
    assert (await company.read(under(BOTH, partial(links.view, token=token)))).approval == APPROVAL
    await company.write(under(BOTH, partial(links.spend, token=token, nonce=nonce)))


def test_callbacks_are_recognised_and_signed_under_every_secret() -> None:
    asked = {"approval": APPROVAL, "webhook": "erp"}
    before = Tokens(SECRET)

    assert BOTH.is_callback(before.callback(**asked), **asked)
    assert BOTH.is_callback(BOTH.callback(**asked), **asked)
    assert not ALONE.is_callback(before.callback(**asked), **asked)
    assert BOTH.callback_secrets(approval=APPROVAL) == (
        ALONE.callback_secret(approval=APPROVAL),
        before.callback_secret(approval=APPROVAL),
    )
    assert BOTH.fits("csrf", "cookie", digest.keyed_hash(SECRET, "csrf", "cookie"))
    assert not BOTH.fits("csrf", "cookie", digest.keyed_hash(b"x" * 32, "csrf", "cookie"))


async def test_what_people_wrote_is_read_by_the_new_secret_alone_after_keys_are_wrapped_anew(
    company: Database,
) -> None:
    def seal(tx: Transaction) -> str:
        return sealing.sealed(tx, DEFAULT_TENANT, ANA, "Not on a Friday", place="votes.v1.comment")

    text = await company.write(seal)
    read = partial(sealing.opened, tenant=DEFAULT_TENANT, value=text)
    look = partial(wrapping.look, tenant=DEFAULT_TENANT)
    anew = partial(wrapping.wrap_anew, tenant=DEFAULT_TENANT)

    assert await company.read(under(ALONE, read)) == "[unreadable]"
    assert await company.read(under(ALONE, look)) == Wrapped(unreadable=1)
    assert await company.read(under(BOTH, read)) == "Not on a Friday"
    assert await company.write(under(BOTH, anew)) == Wrapped(older=1)
    assert await company.write(under(BOTH, anew)) == Wrapped(first=1)
    assert await company.read(under(ALONE, read)) == "Not on a Friday"
