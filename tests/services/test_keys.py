"""A key is shown once, recognised in constant time, and worth nothing once revoked or expired."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from engine.errors import Invalid, NotAllowed, NotFound
from engine.ids import DEFAULT_TENANT, KeyId, PersonId, TenantId
from engine.services import keys
from engine.services.keys import KeyRow, NewKey, Scope
from engine.store import tables
from engine.store.database import Database
from tests.clock import NOON, ManualClock
from tests.services.rows import ANA, CHEN, audited, given_company, given_disabled

pytestmark = pytest.mark.anyio

AGENT = NewKey(name="agent", scopes=["runs:start", "read"], owner=ANA)


def but(
    name: str = "agent",
    scopes: Iterable[str] = ("read",),
    owner: PersonId | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    return NewKey(name=name, scopes=scopes, owner=owner, expires_at=expires_at)


async def made(database: Database, new: NewKey = AGENT) -> tuple[KeyRow, str]:
    await given_company(database)
    return await database.write(lambda tx: keys.create(tx, DEFAULT_TENANT, new, by="person:ana"))


@pytest.mark.parametrize(
    ("new", "code"),
    [
        pytest.param(but(scopes=["vote"]), "unknown_scope", id="voting is no scope"),
        pytest.param(but(scopes=["read", "READ"]), "unknown_scope", id="scopes are exact"),
        pytest.param(but(scopes=[]), "unknown_scope", id="a key that may do nothing"),
        pytest.param(but(scopes="read"), "unknown_scope", id="a text is no list of scopes"),
        pytest.param(but(name=" "), "bad_key_name", id="no name"),
        pytest.param(but(name="a\nb"), "bad_key_name", id="a name of two lines"),
        pytest.param(but(name="a" * 101), "bad_key_name", id="a very long name"),
        pytest.param(but(owner=PersonId("eve")), "unknown_owner", id="a stranger as owner"),
        pytest.param(but(owner=CHEN), "unknown_owner", id="a disabled owner"),
        pytest.param(but(expires_at=NOON), "bad_expiry", id="expired when made"),
        pytest.param(
            but(expires_at=NOON + timedelta(days=400)), "bad_expiry", id="longer than a year"
        ),
    ],
)
async def test_a_bad_key_is_not_made(database: Database, new: NewKey, code: str) -> None:
    await given_company(database)
    await given_disabled(database, CHEN)

    with pytest.raises(Invalid) as refused:
        await database.write(lambda tx: keys.create(tx, DEFAULT_TENANT, new, by="local"))

    assert refused.value.code == code
    assert await database.read(lambda tx: keys.listing(tx, DEFAULT_TENANT)) == []


async def test_whatever_is_no_key_gets_one_answer(database: Database) -> None:
    row, presented = await made(database)
    number = row.id.removeprefix("key_")
    hostile = [
        "", "sk_", "Bearer " + presented, presented + " ", presented[:-1], presented + "x",
        f"sk_{number}_", f"sk_{number}_{'A' * 43}", f"sk_nobody_{'A' * 43}", presented.upper(),
        row.id, "sk_" + "a" * 100_000, "sk_é_ü", "sk_\ud800_x", "sk_1_' OR 1=1 --",
        presented + "\n",
    ]  # fmt: skip

    for text in hostile:
        with pytest.raises(NotAllowed, match=r"^This API key is not valid\.$") as refused:
            await database.read(partial(keys.authenticate, presented=text))
        assert refused.value.code == "bad_key"


async def test_a_revoked_key_is_worth_nothing_at_once(database: Database) -> None:
    row, presented = await made(database)

    await database.write(lambda tx: keys.revoke(tx, DEFAULT_TENANT, row.id, by="person:ana"))
    again = await database.write(
        lambda tx: keys.revoke(tx, DEFAULT_TENANT, row.id, by="person:ana")
    )

    assert again.revoked_at == NOON
    with pytest.raises(NotAllowed, match="was revoked"):
        await database.read(lambda tx: keys.authenticate(tx, presented))
    assert await audited(database) == ["configuration.applied", "key.created", "key.revoked"]


async def test_another_tenant_cannot_revoke_a_key(database: Database) -> None:
    row, presented = await made(database)

    with pytest.raises(NotFound):
        await database.write(lambda tx: keys.revoke(tx, TenantId("other"), row.id, by="x"))
    with pytest.raises(NotFound):
        await database.write(lambda tx: keys.revoke(tx, DEFAULT_TENANT, KeyId("key_0"), by="x"))

    assert (await database.read(lambda tx: keys.authenticate(tx, presented))).name == "agent"


async def test_a_key_expires_by_itself(database: Database, clock: ManualClock) -> None:
    row, presented = await made(database)
    assert row.expires_at == NOON + timedelta(days=90)

    await clock.advance(timedelta(days=90))

    with pytest.raises(NotAllowed, match="has expired"):
        await database.read(lambda tx: keys.authenticate(tx, presented))


async def test_a_key_may_do_only_what_its_scopes_say(database: Database) -> None:
    _, presented = await made(database)
    caller = await database.read(lambda tx: keys.authenticate(tx, presented))

    keys.demand(caller, Scope.RUNS_START)
    with pytest.raises(NotAllowed, match="approvals:ask") as refused:
        keys.demand(caller, Scope.APPROVALS_ASK)

    assert refused.value.code == "missing_scope"
    assert (caller.kind, caller.person, caller.owner) == ("key", None, ANA)


async def test_the_key_itself_is_kept_nowhere(database: Database) -> None:
    row, presented = await made(database)
    secret = presented.rsplit(row.id.removeprefix("key_") + "_", 1)[1]

    stored = await database.read(lambda tx: tx.connection.execute(select(tables.keys)).one())
    entries = await database.read(
        lambda tx: list(tx.connection.execute(select(tables.audit.c.data)).scalars())
    )

    assert secret not in repr(stored)
    assert not any(secret in entry for entry in entries)
    assert secret not in repr(row)


async def test_its_last_use_is_due_once_a_minute(database: Database, clock: ManualClock) -> None:
    _, presented = await made(database)
    caller = await database.read(lambda tx: keys.authenticate(tx, presented))
    assert caller.is_use_due

    await database.write(lambda tx: keys.note_use(tx, caller))

    again = await database.read(lambda tx: keys.authenticate(tx, presented))
    assert not again.is_use_due
    await clock.advance(timedelta(minutes=1))
    later = await database.read(lambda tx: keys.authenticate(tx, presented))
    assert later.is_use_due
    [row] = await database.read(lambda tx: keys.listing(tx, DEFAULT_TENANT))
    assert row.last_used_at == NOON
