"""Traces are sent once, from the journal, and a collector that is not there changes nothing else."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.tracing.sending import Collector, TraceSender
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.threads import parse_traceparent
from engine.services import runs, tracing
from engine.store.runs import NewRun
from tests.engine.flows import FAIL
from tests.engine.stage import Stage
from tests.tracing.collector import Keeper

pytestmark = pytest.mark.anyio

SETTLED = tracing.SETTLED_AFTER
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


def sender(stage: Stage, url: str, *, name: str = "wrk_1", share: float = 1.0) -> TraceSender:
    headers = {"authorization": "Bearer hush"}
    to = Collector(url=url, version="1", headers=headers, share=share)
    return TraceSender(stage.database, to, clock=stage.clock, name=name)


async def settled(stage: Stage) -> None:
    await stage.clock.advance(SETTLED)


async def begun(stage: Stage, header: str, workflow: str, **given: object) -> RunId:
    thread = parse_traceparent(header)
    assert thread is not None
    run = RunId(SystemIds().new("run"))
    new = NewRun(
        id=run,
        tenant=DEFAULT_TENANT,
        workflow=workflow,
        version="1",
        input=given,
        started_by="key:agent",
        trace=thread.to_json(),
    )
    await stage.database.write(lambda tx: runs.start(tx, new))
    await stage.worker().drain()
    return run


async def test_a_dead_collector_costs_one_line_of_log_and_nothing_is_lost(
    stage: Stage, keeper: Keeper
) -> None:
    dead = sender(stage, "http://127.0.0.1:1/v1/traces")
    run = await stage.start("retrying", deed_name="one")
    await settled(stage)

    with capture_logs() as logs:
        sent = [await dead.look(), await dead.look()]

    assert (await stage.picture(run)).row.status == "completed"
    assert [line["event"] for line in logs] == ["traces.not_taken"]
    assert "hush" not in str(logs)
    assert [*sent, await sender(stage, keeper.url).look()] == [0, 0, 2]


async def test_what_nobody_takes_for_an_hour_is_left_out(stage: Stage, keeper: Keeper) -> None:
    late = sender(stage, keeper.url)
    await stage.start("retrying", deed_name="one")
    await stage.clock.advance(tracing.KEPT_FOR + timedelta(minutes=1))
    await stage.start("retrying", deed_name="two")
    await settled(stage)

    with capture_logs() as logs:
        await late.look()

    assert [line["event"] for line in logs] == ["traces.left_out"]
    assert keeper.names() == ["run retrying", "step deed"]


@pytest.mark.parametrize(("status", "kept"), [(503, ["run retrying", "step deed"]), (400, [])])
async def test_what_is_refused_for_good_is_not_sent_again(
    stage: Stage, keeper: Keeper, status: int, kept: list[str]
) -> None:
    there, keeper.answers = sender(stage, keeper.url), [status]
    await stage.start("retrying", deed_name="one")
    await settled(stage)

    await there.look()
    await there.look()

    assert keeper.names() == kept


async def test_a_caller_who_keeps_no_trace_is_heeded(stage: Stage, keeper: Keeper) -> None:
    there = sender(stage, keeper.url, share=0.0)
    await begun(stage, f"00-{TRACE}-{CALLER}-00", "retrying", deed_name="one")
    await begun(stage, f"00-{TRACE}-{CALLER}-01", "retrying", deed_name="two")
    await settled(stage)

    await there.look()

    assert [(span.trace_id, span.parent_span_id) for span in keeper.spans[:1]] == [(TRACE, CALLER)]
    assert keeper.names() == ["run retrying", "step deed"]


async def test_each_span_is_sent_once_when_it_has_ended(stage: Stage, keeper: Keeper) -> None:
    there = sender(stage, keeper.url)
    run = await stage.start("deploy")
    await settled(stage)
    first = await there.look()
    again = await there.look()
    await stage.vote(run, "ana")
    await settled(stage)
    rest = await there.look()

    assert (first, again, rest) == (3, 0, 3)
    assert keeper.names()[3:] == ["run deploy", "approval deploy", "step deed"]
    assert keeper.wrong == []
    assert len({span.span_id for span in keeper.spans}) == len(keeper.spans) == 6


async def test_attributes_are_ours_and_hold_nothing_that_people_wrote(
    stage: Stage, keeper: Keeper
) -> None:
    there = sender(stage, keeper.url)
    FAIL["ledger 17"] = 1
    await stage.start("retrying", deed_name="ledger 17", retries=2)
    await stage.pass_time(timedelta(minutes=5))
    run = await stage.start("patient", rung="reject after 1h")
    await stage.vote(run, "ana", comment="For Mrs Jones")
    await settled(stage)

    await there.look()

    step = keeper.spans[1]
    assert [each.name for each in step.events][:1] == ["step.failed"]
    assert step.fact("signoff.attempt") == "2"
    assert keeper.named("approval patient").fact("signoff.outcome") == "approved"
    for hidden in ("Mrs Jones", "ledger 17", "Go on?", "hush"):
        assert hidden not in keeper.text


async def test_of_two_processes_one_sends(stage: Stage, keeper: Keeper) -> None:
    one, other = sender(stage, keeper.url), sender(stage, keeper.url, name="wrk_2")
    await stage.start("retrying", deed_name="one")
    await settled(stage)
    await stage.database.write(
        lambda tx: tracing.begin(tx, None, holder="wrk_2", since=tx.now - timedelta(minutes=1))
    )

    kept_out = await one.look()
    await stage.clock.advance(tracing.TURN_FOR)

    assert (kept_out, await one.look(), await other.look()) == (0, 2, 0)
