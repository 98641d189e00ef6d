"""A replay of one run rebuilds its approvals, votes and checkpoints too, and compares."""

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import runs
from tests.audit.ground import Ground, opened_at

pytestmark = pytest.mark.anyio


async def replayed(ground: Ground) -> list[str]:
    run = RunId(ground.names["paid"])
    async with opened_at(ground.path) as database:
        return list(await database.read(lambda tx: runs.verify(tx, DEFAULT_TENANT, run)))


async def test_a_run_that_nobody_touched_equals_its_journal(ground: Ground) -> None:
    assert await replayed(ground) == []


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("UPDATE runs SET status = 'failed' WHERE id = '{paid}'", "The journal says completed"),
        ("UPDATE runs SET result = '7' WHERE id = '{paid}'", "its result is not the one"),
        ("UPDATE approvals SET decision = NULL WHERE id = '{apaid}'", "the decision on"),
        ("UPDATE approvals SET consumed_at = NULL WHERE id = '{apaid}'", "was used"),
        ("UPDATE versions SET content = '7' WHERE approval = '{apaid}'", "has another digest"),
        ("UPDATE votes SET comment = 'x' WHERE approval = '{apaid}'", "the votes on"),
        ("UPDATE votes SET is_current = 0 WHERE approval = '{apaid}'", "are current than"),
        ("INSERT INTO checkpoints VALUES ('default', '{paid}', 2, 'x', 'x', 0)", "checkpoints"),
    ],
)
async def test_a_replay_finds_what_a_hand_changed(ground: Ground, script: str, says: str) -> None:
    ground.tamper(script)

    found = await replayed(ground)

    assert any(says in sentence for sentence in found), found
