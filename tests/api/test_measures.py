"""What was spent and how long it took, at `/metrics`: after the fact, bounded, and by tenant."""

import json
import platform
import re
from datetime import timedelta

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from bot.application import VERSION
from bot.web.run_measures import RunMeasures
from engine.ids import DEFAULT_TENANT, TenantId
from engine.services import tracing
from tests.api.desk import ASKED, Desk
from tests.architecture.sources import ROOT
from tests.clock import ManualClock
from tests.engine import flows, spenders
from tests.engine.stage import Stage
from tests.engine.test_sandbox import rehearsed

pytestmark = pytest.mark.anyio

SETTLED = tracing.SETTLED_AFTER
NAME = re.compile(r"\bsignoff_[a-z_]+")
HISTOGRAM = ("_bucket", "_count", "_sum")
DEPLOY = ROOT / "deploy"


async def spent(stage: Stage) -> None:
    """Two runs have spent something, and all about them has settled."""
    spenders.TILL.clear()
    spenders.TROUBLE[:] = [spenders.did_nothing()]
    await stage.start("metered_loop", usd="0.07", tokens=40, steps=2)
    await stage.start("flaky")
    await stage.pass_time(timedelta(minutes=1))
    await stage.clock.advance(SETTLED)


def said(measures: RunMeasures, *tenants: TenantId) -> str:
    """What is told of these tenants."""
    registry = CollectorRegistry()
    registry.register(measures.of(tenants))
    return generate_latest(registry).decode()


async def test_what_ended_before_anybody_could_look_is_not_counted(
    desk: Desk, clock: ManualClock
) -> None:
    stage = Stage(desk.application.database, clock)
    await spent(stage)
    measures = RunMeasures(stage.database, clock)
    await clock.advance(SETTLED)

    await measures.look()

    assert "_total{" not in said(measures, DEFAULT_TENANT)


async def test_time_money_tokens_and_failures_are_counted_once(
    desk: Desk, clock: ManualClock
) -> None:
    stage = Stage(desk.application.database, clock)
    await desk.stranger.get("/metrics")
    await spent(stage)

    await desk.stranger.get("/metrics")
    found = (await desk.stranger.get("/metrics")).text

    about = 'agent="key:agent",{}step="call {}",tenant="default",workflow="metered_loop"'
    for number in (0, 1):
        money = about.format('currency="USD",', number)
        assert f"signoff_cost_total{{{money}}} 0.07" in found
        assert f"signoff_tokens_total{{{about.format('', number)}}} 40.0" in found
    failed = 'error="NoEffect",step="call",tenant="default",workflow="flaky"'
    assert f"signoff_step_failures_total{{{failed}}} 1.0" in found
    ended = 'outcome="completed",tenant="default",workflow="flaky"'
    assert f"signoff_run_seconds_count{{{ended}}} 1.0" in found


async def test_what_begins_is_counted_while_it_goes_on(desk: Desk, clock: ManualClock) -> None:
    stage = Stage(desk.application.database, clock)
    await stage.prepare()
    await desk.stranger.get("/metrics")
    await stage.start("deploy", quorum=2)
    run = await stage.start("deploy")
    await clock.advance(SETTLED)

    begun = (await desk.stranger.get("/metrics")).text
    await stage.vote(run, "dana", "reject", comment="No.")
    await clock.advance(SETTLED)
    await desk.stranger.get("/metrics")
    over = (await desk.stranger.get("/metrics")).text

    of, asked = (
        'tenant="default",workflow="deploy"',
        'action="deploy",{}tenant="default",workflow="deploy"',
    )
    assert f"signoff_runs_created_total{{{of}}} 2.0" in begun
    assert f"signoff_approvals_requested_total{{{asked.format('')}}} 2.0" in begun
    assert "signoff_votes_total{" not in begun
    for found in (begun, over):
        assert f"signoff_runs_created_total{{{of}}} 2.0" in found
    said = asked.format('channel="web",choice="reject",')
    assert f"signoff_votes_total{{{said}}} 1.0" in over
    assert f"signoff_rollbacks_total{{{of}}} 1.0" in over
    ended = asked.format('outcome="rejected",')
    assert f"signoff_approval_seconds_count{{{ended}}} 1.0" in over


async def test_of_a_sandbox_only_its_messages_are_counted(desk: Desk, clock: ManualClock) -> None:
    stage = Stage(desk.application.database, clock)
    await stage.prepare()
    measures = RunMeasures(stage.database, clock)
    run = await rehearsed(stage, "deploy")
    await stage.vote(run, "dana", "reject", comment="No.")
    await clock.advance(SETTLED)

    await measures.look()

    found = await stage.database.read(lambda tx: tracing.of_run(tx, DEFAULT_TENANT, run))
    assert {span.facts.get("signoff.sandbox") for each in found for span in each.spans} == {True}
    assert "signoff_runs_created_total{" not in said(measures, DEFAULT_TENANT)
    assert 'workflow="deploy"' not in said(measures, DEFAULT_TENANT)


async def test_each_attempt_that_failed_is_counted_the_last_one_too(
    desk: Desk, clock: ManualClock
) -> None:
    stage = Stage(desk.application.database, clock)
    await desk.stranger.get("/metrics")
    flows.FAIL["never"] = 9
    await stage.start("retrying", deed_name="never", retries=2)
    for _wait in range(3):
        await stage.pass_time(timedelta(minutes=10))
    flows.FAIL.clear()

    await desk.stranger.get("/metrics")
    found = (await desk.stranger.get("/metrics")).text

    step = 'step="deed",tenant="default",workflow="retrying"'
    assert f"signoff_step_retries_total{{{step}}} 2.0" in found
    assert f'signoff_step_failures_total{{error="Broken",{step}}} 3.0' in found


@pytest.mark.parametrize(
    ("measure", "labels"),
    [
        ("signoff_runs", ["running", "waiting", "completed"]),
        ("signoff_approvals", ["open", "expired"]),
        ("signoff_outbox", ["pending", "dead"]),
    ],
)
async def test_what_there_is_now_is_told_by_state(
    desk: Desk, measure: str, labels: list[str]
) -> None:
    found = (await desk.stranger.get("/metrics")).text

    for status in labels:
        assert f'{measure}{{status="{status}",tenant="default"}} 0.0' in found
    assert f'signoff_info{{python="{platform.python_version()}",version="{VERSION}"}} 1.0' in found


async def test_what_nobody_answered_is_counted_as_expired(desk: Desk, clock: ManualClock) -> None:
    stage = Stage(desk.application.database, clock)
    await desk.stranger.get("/metrics")
    await stage.start("patient", rung="reject after 1h")
    await stage.pass_time(timedelta(hours=1))
    await clock.advance(SETTLED)

    found = (await desk.stranger.get("/metrics")).text

    of = 'outcome="expired",tenant="default",workflow="patient"'
    assert re.search(rf'signoff_approval_seconds_count{{action="[^"]*",{of}}} 1.0', found)
    assert re.search(rf'signoff_approval_seconds_sum{{action="[^"]*",{of}}} 3600.0', found)


async def test_names_without_end_are_counted_together(desk: Desk, clock: ManualClock) -> None:
    stage = Stage(desk.application.database, clock)
    measures = RunMeasures(stage.database, clock, series_max=2)
    await stage.start("plain_loop", steps=20)
    await clock.advance(SETTLED)

    await measures.look()

    other = 'outcome="other",step="other",tenant="default",workflow="other"'
    assert f"signoff_step_seconds_count{{{other}}} 18.0" in said(measures, DEFAULT_TENANT)


async def test_other_tenants_see_nothing_of_it(desk: Desk, clock: ManualClock) -> None:
    stage = Stage(desk.application.database, clock)
    measures = RunMeasures(stage.database, clock)
    await spent(stage)

    await measures.look()

    assert "metered_loop" in said(measures, DEFAULT_TENANT)
    assert "metered_loop" not in said(measures, TenantId("beta"))


async def test_dashboard_and_alerts_name_measures_that_there_are(
    desk: Desk, clock: ManualClock
) -> None:
    await (await desk.key()).post("/api/approvals", ASKED)
    found = (await desk.stranger.get("/metrics")).text
    there = set(re.findall(r"^# TYPE (signoff_\w+) ", found, re.MULTILINE))
    board = json.loads((DEPLOY / "grafana" / "signoff.json").read_text(encoding="utf-8"))
    rules = yaml.safe_load((DEPLOY / "prometheus" / "signoff.rules.yml").read_text("utf-8"))

    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]

    named = {name for each in asked for name in NAME.findall(each)}
    assert len(asked) > 20
    assert {_family(name) for name in named} - there == set()
    assert all(each.count("(") == each.count(")") for each in asked)


def _family(name: str) -> str:
    for ending in HISTOGRAM:
        name = name.removesuffix(ending)
    return name
