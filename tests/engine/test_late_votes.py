"""Late votes: kept, told, never counted, and no way to fill the store."""

import pytest

from engine.errors import AlreadyDecided
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


async def test_pressing_on_after_the_end_keeps_one_late_vote_of_each_answer(stage: Stage) -> None:
    run = await stage.start("deploy")
    await stage.vote(run, "ana")

    answers = [await stage.vote(run, "dana", choice) for choice in ("reject", "reject", "approve")]

    kept = [vote for vote in (await stage.picture(run)).approvals[0].votes if vote.is_late]
    assert all(isinstance(answer.refusal, AlreadyDecided) for answer in answers)
    assert [(vote.person, vote.choice) for vote in kept] == [
        ("dana", "reject"),
        ("dana", "approve"),
    ]
