"""Traces over HTTP: given at the start, read by whoever may read."""

import pytest

from engine.services.keys import Scope
from tests.api.desk import Desk, code
from tests.tracing.collector import Export

pytestmark = pytest.mark.anyio

START = {"workflow": "tests.pay", "input": {"order": "17"}}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_who_may_not_read_sees_no_trace(desk: Desk) -> None:
    starter = await desk.key(Scope.RUNS_START)
    run = (await starter.post("/api/runs", START)).json()["id"]

    for path in ("trace", "trace/otlp"):
        assert code(await starter.get(f"/api/runs/{run}/{path}")) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("header", "trace", "parent"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", TRACE, SPAN, id="a caller's"),
        pytest.param("00-nonsense-01", None, None, id="what is none starts the run all the same"),
    ],
)
async def test_a_run_belongs_to_the_trace_of_its_caller(
    desk: Desk, header: str, trace: str | None, parent: str | None
) -> None:
    key = await desk.key()
    started = await key.post("/api/runs", START, traceparent=header)

    found = (await key.get(f"/api/runs/{started.json()['id']}/trace")).json()

    assert started.status_code == 201
    assert found["spans"][0]["parent"] == parent
    assert (found["trace_id"] == TRACE) is (trace is not None)


async def test_a_trace_is_otlp_for_any_collector(desk: Desk) -> None:
    key = await desk.key()
    run = (await key.post("/api/runs", START)).json()["id"]

    found = await key.get(f"/api/runs/{run}/trace/otlp")

    (span,) = Export.model_validate_json(found.content).spans()
    assert (span.name, span.fact("signoff.run")) == ("run tests.pay", run)
