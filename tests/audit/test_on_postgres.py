"""The same on PostgreSQL: what a hand with every right changes there is found."""

import pytest
from sqlalchemy import text

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.chaining import Damage
from engine.services import anchoring, auditing
from engine.store.database import Database, Transaction
from tests.audit.ground import SIGNER
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ON_POSTGRES = pytest.mark.parametrize("database", ["postgres"], indirect=True)


def by_hand(tx: Transaction, script: str, run: RunId) -> None:
    """As the database's own operator may: triggers are not asked, and stay as they are for others."""
    tx.connection.execute(text("SET LOCAL session_replication_role = replica"))
    tx.connection.execute(text(script.replace("{run}", run)))


@ON_POSTGRES
@pytest.mark.parametrize(
    ("script", "damage"),
    [
        ("UPDATE journal SET at = at - interval '1 day' WHERE position = 1", Damage.EDITED),
        ("DELETE FROM journal WHERE run = '{run}' AND position > 3", Damage.CUT),
        ("DELETE FROM audit", Damage.CUT),
        ("UPDATE votes SET choice = 'reject'", Damage.STATE),
        ("DELETE FROM anchored WHERE chain = '{run}'", Damage.ANCHOR),
    ],
)
async def test_what_is_changed_there_is_found(
    database: Database, clock: ManualClock, script: str, damage: Damage
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    run = await stage.start("paid-refund")
    for person in ("ana", "bo"):
        await stage.vote(run, person)
    await anchoring.anchor_all(database, DEFAULT_TENANT, SIGNER)
    before = await auditing.verify(database, DEFAULT_TENANT, trusted=[SIGNER.public])

    await database.write(lambda tx: by_hand(tx, script, run))

    after = await auditing.verify(database, DEFAULT_TENANT, trusted=[SIGNER.public])
    assert (before.findings, before.open_chains) == ([], 0)
    assert damage in {finding.damage for finding in after.findings}
