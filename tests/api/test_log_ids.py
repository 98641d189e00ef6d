"""What belongs together in the log has one id: a request's in its answer too, a run's in all that it does."""

import re

import pytest

from engine.services.keys import Scope
from tests.api.desk import Desk
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


async def test_a_request_is_logged_under_the_id_that_its_answer_has(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    key = await desk.key(Scope.READ)

    answers = [await key.get("/api/runs"), await key.get("/api/runs/run_nowhere")]

    lines = [line for line in capsys.readouterr().out.splitlines() if "http.answered" in line]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 2
    for line, id, status in zip(lines, ids, (200, 404), strict=True):
        assert f"request='{id}'" in line
        assert f"status={status}" in line


async def test_all_that_a_run_does_is_logged_under_its_id(
    desk: Desk, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(desk.application.database, clock)
    await stage.prepare()

    runs = [await stage.start("deploy") for _each in range(2)]
    await stage.vote(runs[0], "ana", "reject")

    said = capsys.readouterr().out
    for run, expected in zip(runs, ("run.rolled_back", "approval.opened"), strict=True):
        own = [line for line in said.splitlines() if run in line]
        events = [found[1] for line in own if (found := re.search(r"event='([\w.]+)'", line))]
        assert {"run.claimed", "approval.opened", expected} <= set(events)
        approvals = set(re.findall(r"approval='(\w+)'", "\n".join(own)))
        assert len(approvals) == 1
