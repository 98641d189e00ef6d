"""The example of three agents: each hands on its work, and one decision stands over all of it."""

import pytest

from engine.rules.states import RunStatus
from engine.store import family
from examples import research
from signoff.registry import registered
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

QUESTION = "bees"
REPORT = "On bees: bees, as the archive has it; bees, as the library has it."


async def test_three_agents_hand_on_their_work_and_share_checkpoints(stage: Stage) -> None:
    assert registered()["report"].fn is research.report
    run = await stage.start("report", question=QUESTION)
    asked = (await stage.picture(run)).approvals[0]

    await stage.vote(run, "ana")

    picture = await stage.picture(run)
    found = await stage.database.read(lambda tx: family.of(tx, picture.row))
    assert asked.details["report"] == REPORT
    assert picture.row.result == f"published: {REPORT}"
    assert [each["name"] for each in picture.checkpoints] == ["researched", "analysed"]
    assert [each.workflow for each in found.children[run]] == [
        "researcher",
        "analyst",
        "synthesizer",
    ]


async def test_a_no_to_the_report_undoes_the_work_of_all_three(stage: Stage) -> None:
    run = await stage.start("report", question=QUESTION)

    await stage.vote(run, "dana", "reject")

    row = (await stage.picture(run)).row
    found = await stage.database.read(lambda tx: family.of(tx, row))
    assert row.status is RunStatus.ROLLED_BACK
    assert {each.status for each in found.children[run]} == {RunStatus.ROLLED_BACK}
