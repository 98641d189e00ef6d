"""Runs over HTTP: started once, read, and operated with a reason."""

from typing import Any

import pytest

from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, RunId, SystemIds, WorkerId
from engine.runtime.executor import Executor
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import runs
from engine.services.keys import Scope
from engine.store import artifacts
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.api.desk import ANA, ASKED, WORKFLOWS, Desk, Known, code
from tests.clock import ManualClock
from tests.engine.flows import FAIL
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio
START = {"workflow": "tests.pay", "input": {"order": "17"}}


async def started(by: Known) -> str:
    found: str = (await by.post("/api/runs", START)).json()["id"]
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "invalid_request"),
        ({"workflow": "nothing", "input": {}}, "unknown_workflow"),
        ({"workflow": "ask", "input": {}}, "unknown_workflow"),
        ({"workflow": "tests.pay", "input": {}}, "bad_input"),
        ({"workflow": "tests.pay", "input": {"order": "1", "times": "x"}}, "bad_input"),
        ({"workflow": "tests.pay", "input": {"order": "1", "colour": 1}}, "bad_input"),
        ({"workflow": "tests.pay", "input": []}, "invalid_request"),
        ({**START, "version": "2"}, "invalid_request"),
    ],
)
async def test_what_cannot_run_is_not_started(
    desk: Desk, body: dict[str, Any], expected: str
) -> None:
    key = await desk.key()

    assert code(await key.post("/api/runs", body)) == (422, expected)
    assert (await key.get("/api/runs")).json() == {"runs": [], "next": None}


async def test_who_may_not_start_or_operate_is_refused(desk: Desk) -> None:
    reader, ana, starter = (
        await desk.key(Scope.READ),
        await desk.person(ANA),
        await desk.key(Scope.RUNS_START, Scope.READ),
    )
    run = await started(starter)

    for caller in (reader, ana):
        assert code(await caller.post("/api/runs", START)) == (403, "missing_scope")
        refused = await caller.post(f"/api/runs/{run}/cancel", {"reason": "x"})
        assert code(refused) == (403, "not_yours")
    for verb in ("retry", "skip"):
        refused = await starter.post(f"/api/runs/{run}/{verb}", {"reason": "x"})
        assert code(refused) == (403, "missing_scope")
    assert (await starter.post(f"/api/runs/{run}/cancel", {"reason": "x"})).status_code == 200


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    key = await desk.key()
    paths = ("", "/journal", "/checkpoints", "/replay")
    for path in paths:
        assert code(await key.get(f"/api/runs/run_0{path}")) == (404, "not_found")
    for verb in ("cancel", "retry", "skip"):
        refused = await key.post(f"/api/runs/run_0/{verb}", {"reason": "x"})
        assert code(refused) == (404, "not_found")
    assert code(await key.get(f"/api/artifacts/sha256:{'0' * 64}")) == (404, "not_found")
    assert code(await key.get("/api/artifacts/sha256:0")) == (422, "invalid_request")


async def test_verbs_that_do_not_fit_are_refused(desk: Desk) -> None:
    key = await desk.key()
    run = await started(key)

    for verb in ("retry", "skip"):
        refused = await key.post(f"/api/runs/{run}/{verb}", {"reason": "x"})
        assert code(refused) == (409, "not_stuck")
    without = await key.post(f"/api/runs/{run}/cancel", {})
    await key.post(f"/api/runs/{run}/cancel", {"reason": "Enough."})
    again = await key.post(f"/api/runs/{run}/cancel", {"reason": "Enough."})

    assert code(without) == (422, "invalid_request")
    assert code(again) == (409, "run_ended")


async def test_a_run_is_started_once_for_each_idempotency_key(desk: Desk) -> None:
    key = await desk.key()

    first = await key.post("/api/runs", START, idempotency_key="17")
    again = await key.post("/api/runs", START, idempotency_key="17")

    assert first.status_code == again.status_code == 201
    assert first.headers["location"] == first.json()["status_url"]
    assert first.json() == again.json()
    assert (first.json()["status"], len((await key.get("/api/runs")).json()["runs"])) == (
        "created",
        1,
    )


async def test_a_run_is_shown_with_its_journal(desk: Desk) -> None:
    key = await desk.key()
    run = await started(key)
    database, ids = desk.application.database, SystemIds()
    executor = Executor(database, Workflows(WORKFLOWS), SystemClock(), ids)
    await Worker(WorkerId("w"), database, executor, Workflows(WORKFLOWS).pins).drain()

    seen = (await key.get(f"/api/runs/{run}")).json()
    first = (await key.get(f"/api/runs/{run}/journal?limit=2")).json()
    rest = (await key.get(f"/api/runs/{run}/journal?cursor={first['next']}")).json()

    assert (seen["status"], seen["result"], seen["input"]) == (
        "completed",
        "17 x 1",
        {"order": "17"},
    )
    assert {"steps", "approvals", "checkpoints", "budget", "rollback", "summary"} < seen.keys()
    assert [entry["position"] for entry in first["entries"] + rest["entries"]] == [0, 1, 2]
    assert rest["entries"][0]["previous"] == first["entries"][-1]["hash"]
    assert rest["next"] is None
    assert (await key.get(f"/api/runs/{run}/checkpoints")).json() == {"checkpoints": []}
    assert (await key.get(f"/api/runs/{run}/replay")).json()["equal"] is True
    changes = (await key.get(f"/api/runs/{run}/changes")).json()["changes"]
    assert [each["after"]["status"] for each in changes] == ["created", "running", "completed"]
    assert changes[0]["before"] is None


async def test_runs_are_listed_and_an_asking_run_is_one_of_them(desk: Desk) -> None:
    key = await desk.key()
    run = await started(key)
    asked = (await key.post("/api/approvals", ASKED)).json()["run"]

    page = (await key.get("/api/runs?limit=1")).json()
    rest = (await key.get(f"/api/runs?cursor={page['next']}")).json()
    waiting = (await key.get("/api/runs?status=waiting")).json()["runs"]

    assert {page["runs"][0]["id"], rest["runs"][0]["id"]} == {run, asked}
    assert [line["id"] for line in waiting] == [asked]
    assert waiting[0]["waiting_for"]["reason"] == "approval"


async def test_cancelling_a_run_withdraws_what_it_asks(desk: Desk) -> None:
    key = await desk.key()
    asked = (await key.post("/api/approvals", ASKED)).json()

    done = await key.post(f"/api/runs/{asked['run']}/cancel", {"reason": "Wrong order."})

    assert done.json() == {"id": asked["run"], "status": "cancelled", "stays": []}
    assert (await key.get(asked["status_url"])).json()["status"] == "cancelled"


async def test_an_artifact_is_a_download(desk: Desk) -> None:
    key = await desk.key()

    def keep(tx: Transaction) -> str:
        return artifacts.put(tx, DEFAULT_TENANT, b"<script>1</script>", "text/html")

    address = await desk.application.database.write(keep)
    found = await key.get(f"/api/artifacts/{address}")

    assert (found.content, found.status_code) == (b"<script>1</script>", 200)
    assert found.headers["content-disposition"].startswith("attachment; ")


async def test_a_rollback_is_not_stopped_by_the_key_that_it_is_about(
    desk: Desk, clock: ManualClock
) -> None:
    key = await desk.key(Scope.RUNS_START, Scope.READ)
    stage, run = Stage(desk.application.database, clock), RunId(SystemIds().new("run"))
    begun = NewRun(
        id=run,
        tenant=DEFAULT_TENANT,
        workflow="deploy",
        version="1",
        input={},
        started_by=f"key:{(await key.get('/api/me')).json()['key']}",
    )
    await stage.prepare()
    await desk.application.database.write(lambda tx: runs.start(tx, begun))
    await stage.worker().drain()
    FAIL["undo smoke"] = 1_000
    await stage.vote(run, "ana", "reject", comment="Not today.")

    refused = await key.post(f"/api/runs/{run}/cancel", {"reason": "Never mind."})
    by_operator = await (await desk.person(ANA)).post(
        f"/api/runs/{run}/cancel", {"reason": "By hand."}
    )

    assert code(refused) == (403, "not_yours")
    assert by_operator.json()["status"] == "cancelled"
