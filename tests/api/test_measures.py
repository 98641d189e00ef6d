"""What was spent and how long it took, at `/metrics`: after the fact, bounded, and by tenant."""

import json
import re
from datetime import timedelta

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from bot.web.run_measures import RunMeasures
from engine.ids import DEFAULT_TENANT, TenantId
from engine.services import tracing
from tests.api.desk import ASKED, Desk
from tests.architecture.sources import ROOT
from tests.clock import ManualClock
from tests.engine import spenders
from tests.engine.stage import Stage

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
