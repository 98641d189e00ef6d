"""A run as a trace: one for a tree of runs, made from journals alone, and handed out piece by piece."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from ipaddress import ip_network

import pytest

from engine.http import Egress
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.spans import Span
from engine.rules.threads import parse_traceparent, span_id
from engine.services import runs, tracing
from engine.store.runs import NewRun
from engine.store.traced import Trace
from tests.engine.flows import FAIL
from tests.engine.stage import Stage
from tests.engine.targets import target

pytestmark = pytest.mark.anyio

DONE = {"step", "approval", "compensation", "checkpoint"}
CALLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def traces(stage: Stage, run: RunId) -> list[Trace]:
    return await stage.database.read(lambda tx: tracing.of_run(tx, DEFAULT_TENANT, run))


async def spans(stage: Stage, run: RunId) -> dict[str, Span]:
    """The spans of a run and of what it started, by their names."""
    return {span.name: span for trace in await traces(stage, run) for span in trace.spans}


async def called(stage: Stage, workflow: str, given: Mapping[str, object]) -> RunId:
    """Start a run that belongs to somebody's trace."""
    thread = parse_traceparent(CALLED)
    assert thread is not None
    new = NewRun(
        id=RunId(SystemIds().new("run")),
        tenant=DEFAULT_TENANT,
        workflow=workflow,
        version="1",
        input=given,
        started_by="key:agent",
        trace=thread.to_json(),
    )
    await stage.database.write(lambda tx: runs.start(tx, new))
    await stage.worker().drain()
    return new.id


async def test_what_is_under_way_has_no_end_and_ends_with_its_run(stage: Stage) -> None:
    run = await stage.start("deploy")
    open_yet = (await spans(stage, run))["approval deploy"]
    await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")
    )

    found = await spans(stage, run)

    assert (open_yet.ended_at, open_yet.outcome) == (None, None)
    assert {found[name].outcome for name in ("run deploy", "approval deploy")} == {"cancelled"}


async def test_a_retried_step_is_one_span_that_tells_its_failures(stage: Stage) -> None:
    FAIL["one"] = 2
    run = await stage.start("retrying", deed_name="one", retries=3)
    await stage.pass_time(timedelta(minutes=1))
    await stage.pass_time(timedelta(minutes=1))

    step = (await spans(stage, run))["step deed"]

    told = [each.name for each in step.happened if each.name == "step.failed"]
    assert (len(told), step.facts["signoff.attempt"], step.outcome) == (2, 3, "finished")
    assert step.ended_at is not None
    assert step.ended_at - step.began_at >= timedelta(minutes=1)


async def test_a_rollback_is_in_it_and_costs_are_added_up(stage: Stage) -> None:
    run = await stage.start("deploy")
    await stage.vote(run, "dana", "reject", comment="No.")

    found = await spans(stage, run)

    undone = [span for name, span in found.items() if name.startswith("compensation ")]
    assert [span.outcome for span in undone] == ["finished"] * 3
    assert found["run deploy"].outcome == "rolled_back"
    assert found["approval deploy"].outcome == "rejected"


async def test_whatever_a_journal_says_was_done_is_in_the_trace(stage: Stage) -> None:
    run = await stage.start("kept-at-steps")
    await stage.vote(run, "ana", "reject", comment="No.")
    journal = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )

    (trace,) = await traces(stage, run)

    happened = [event for span in trace.spans for event in span.happened]
    told = {tuple(span.name.split(" ", 1)) for span in trace.spans} | {
        ("checkpoint", event.facts.get("signoff.checkpoint")) for event in happened
    }
    done = {
        (kind, entry.name)
        for entry in journal
        if (kind := entry.kind.partition(".")[0]) in DONE and entry.name is not None
    }
    assert {kind for kind, _name in done} == DONE
    assert done <= told
    assert "vote.recorded" in {event.name for event in happened}


async def test_children_are_in_the_trace_of_their_parent(stage: Stage) -> None:
    run = await stage.start("paper", topics=["bees"])

    above, below = await traces(stage, run)

    started = next(span for span in above.spans if span.kind == "child")
    assert above.thread.trace == below.thread.trace
    assert below.spans[0].parent == started.id
    assert started.parent == above.spans[0].id == span_id(run)


async def test_a_callers_trace_goes_on_through_a_run_and_its_requests(stage: Stage) -> None:
    stage.egress = Egress(allow_nets=[ip_network("127.0.0.0/8")])

    async with target() as there:
        run = await called(stage, "charging", {"url": there.url})
        alone = await stage.start("charging", url=there.url)

    root, step = (await traces(stage, run))[0].spans
    assert root.parent == "00f067aa0ba902b7"
    assert there.headers[0]["traceparent"] == f"{CALLED[:36]}{step.id}-01"
    assert "traceparent" not in there.headers[1]
    assert len((await traces(stage, alone))[0].spans) == 2


async def test_children_of_a_called_run_are_in_the_callers_trace(stage: Stage) -> None:
    run = await called(stage, "paper", {"topics": ["bees"]})

    found = {trace.thread.trace for trace in await traces(stage, run)}

    assert found == {CALLED[3:35]}


async def test_looks_that_follow_each_other_find_every_span_once(stage: Stage) -> None:
    place, found = stage.clock.now() - timedelta(seconds=1), list[str]()
    run = await stage.start("deploy")

    for votes in (False, True, False):
        if votes:
            await stage.vote(run, "ana")
        await stage.clock.advance(tracing.SETTLED_AFTER)
        due = await stage.database.read(partial(tracing.due, after=place))
        found += [span.id for batch in due.batches for span in batch.spans]
        place = due.until

    whole = [span.id for span in (await traces(stage, run))[0].spans]
    assert sorted(found) == sorted(whole)


async def test_a_turn_is_one_processes(stage: Stage) -> None:
    now = stage.clock.now()

    mine = await stage.database.write(lambda tx: tracing.begin(tx, None, holder="a", since=now))
    before = await stage.database.read(tracing.standing)
    other = await stage.database.write(lambda tx: tracing.begin(tx, before, holder="b", since=now))
    assert mine is not None
    ended = await stage.database.write(lambda tx: tracing.end(tx, mine, at=now))
    again = await stage.database.write(lambda tx: tracing.end(tx, mine, at=now))

    assert (before, other, ended, again) == (mine, None, True, False)
