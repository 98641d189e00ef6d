"""Operators change runs over to another version of their workflow, and release those that were set aside."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId, WorkerId
from engine.services import driving, runs
from engine.services.keys import Scope
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.api.desk import Desk, code

pytestmark = pytest.mark.anyio

TO = {"to": "1", "reason": "The new code fits."}
ALL = {**TO, "workflow": "tests.pay", "from": "0"}


async def old(desk: Desk, *names: str, order: object = "17") -> None:
    """Runs that began with a version that nobody holds any more."""

    def deed(tx: Transaction) -> None:
        for name in names:
            runs.start(
                tx,
                NewRun(
                    id=RunId(name), tenant=DEFAULT_TENANT, workflow="tests.pay", version="0",
                    input={"order": order}, started_by="local",
                ),
            )  # fmt: skip

    await desk.application.database.write(deed)


def taken_up(tx: Transaction) -> int:
    """How many runs somebody takes up, who falls silent at once."""
    claims = driving.claim(
        tx, worker=WorkerId("w"), workflows=["tests.pay@0"], lease_for=timedelta(), limit=9
    )
    return len(claims)


async def test_only_operators_adopt_and_release(desk: Desk) -> None:
    await old(desk, "run_1")
    starter = await desk.key(Scope.RUNS_START, Scope.READ)

    for path, body in (("run_1/adopt", TO), ("adopt", ALL), ("run_1/release", {"reason": "x"})):
        assert code(await starter.post(f"/api/runs/{path}", body)) == (403, "missing_scope")


async def test_what_cannot_be_adopted_is_refused(desk: Desk) -> None:
    await old(desk, "run_1")
    await old(desk, "run_2", order=["no text"])
    key = await desk.key()

    unknown = await key.post("/api/runs/run_1/adopt", {**TO, "to": "7"})
    unfit = await key.post("/api/runs/run_2/adopt", TO)
    nowhere = await key.post("/api/runs/run_0/adopt", TO)
    await key.post("/api/runs/run_1/adopt", TO)
    again = await key.post("/api/runs/run_1/adopt", TO)

    assert code(unknown) == (422, "unknown_version")
    assert code(unfit) == (409, "does_not_fit")
    assert code(nowhere) == (404, "not_found")
    assert code(again) == (409, "same_version")


async def test_all_runs_of_a_version_are_changed_over_but_those_it_does_not_fit(desk: Desk) -> None:
    await old(desk, "run_1", "run_2")
    await old(desk, "run_3", order=["no text"])
    key = await desk.key()

    done = (await key.post("/api/runs/adopt", ALL)).json()

    assert sorted(done["adopted"]) == ["run_1", "run_2"]
    assert [each["id"] for each in done["refused"]] == ["run_3"]
    assert done["more"] is False
    assert (await key.get("/api/runs/run_1")).json()["version"] == "1"


async def test_a_run_that_was_set_aside_is_released_once(desk: Desk) -> None:
    await old(desk, "run_1")
    key = await desk.key()
    early = await key.post("/api/runs/run_1/release", {"reason": "x"})

    taken = [await desk.application.database.write(taken_up) for _ in range(4)]
    seen = (await key.get("/api/runs/run_1")).json()
    done = await key.post("/api/runs/run_1/release", {"reason": "Mended."})

    assert code(early) == (409, "not_quarantined")
    assert taken == [1, 1, 1, 0]
    assert (seen["status"], seen["waiting_for"]["reason"]) == ("waiting", "quarantined")
    assert done.json() == {"id": "run_1", "status": "running"}


async def test_the_address_for_many_is_no_run(desk: Desk) -> None:
    tried = await desk.local.request("OPTIONS", "/api/runs/adopt")

    assert (tried.status_code, tried.headers["allow"]) == (405, "POST")
