"""What is appended stays: both databases refuse every other change of it."""

from functools import partial

import pytest
from sqlalchemy import text

from engine.errors import EngineError
from engine.ids import DEFAULT_TENANT
from engine.services import anchoring
from engine.store.database import Database, Transaction
from tests.audit.ground import SIGNER
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize(
    "database",
    ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
    indirect=True,
)


def by_hand(tx: Transaction, statement: str) -> None:
    tx.connection.execute(text(statement))


@BOTH
async def test_what_is_appended_is_neither_changed_nor_deleted(
    database: Database, clock: ManualClock
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    run = await stage.start("deploy")
    await anchoring.anchor_all(database, DEFAULT_TENANT, SIGNER)

    for statement in (
        "UPDATE journal SET kind = kind",
        "UPDATE audit SET kind = kind",
        "UPDATE anchors SET statement = statement",
        "UPDATE anchored SET hash = hash",
        "DELETE FROM journal",
        "DELETE FROM audit",
        "DELETE FROM anchors",
        "DELETE FROM anchored",
    ):
        deed = partial(by_hand, statement=statement)
        with pytest.raises(EngineError):
            await database.write(deed)

    assert await stage.is_sound(run)


@BOTH
async def test_an_anchor_is_noted_as_kept_outside(database: Database, clock: ManualClock) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    await stage.start("deploy")
    (anchor,) = await anchoring.anchor_all(database, DEFAULT_TENANT, SIGNER)

    await database.write(lambda tx: anchoring.note_published(tx, DEFAULT_TENANT, anchor.number))

    assert await database.read(lambda tx: anchoring.unpublished(tx, DEFAULT_TENANT)) == []
