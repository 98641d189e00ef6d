"""Two organisations on one installation: budgets and kill switches of one hold nobody else's runs."""

from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, RunId, SystemIds, TenantId
from engine.services import budgets, halting, runs, tenants
from engine.services.budgets import Wanted
from engine.store.runs import NewRun
from tests.engine.stage import Stage
from tests.engine.test_switches import operator

pytestmark = pytest.mark.anyio

ACME = TenantId("acme")
BOTH = (ACME, DEFAULT_TENANT)


@pytest.fixture
async def apart(stage: Stage) -> Stage:
    await stage.database.write(lambda tx: tenants.create(tx, ACME, name="Acme", by="tests"))
    return stage


async def started(stage: Stage, tenant: TenantId, workflow: str, **given: object) -> RunId:
    run = RunId(SystemIds().new("run"))
    new = NewRun(
        id=run, tenant=tenant, workflow=workflow, version="1", input=given, started_by="key:agent"
    )
    await stage.database.of(tenant).write(lambda tx: runs.start(tx, new))
    await stage.worker().drain()
    return run


async def told(stage: Stage, tenant: TenantId, run: RunId) -> Any:
    ours = stage.database.of(tenant)
    return (await ours.read(lambda tx: runs.picture(tx, tenant, run))).to_json()


async def given_budget(stage: Stage, tenant: TenantId, scope: str, usd: str) -> None:
    wanted = Wanted(limit={"usd": usd}, scope=scope)
    await stage.database.of(tenant).write(
        lambda tx: budgets.set_budget(tx, tenant, wanted, by="person:ana")
    )


async def spent(stage: Stage, tenant: TenantId) -> list[str]:
    found: Any = await stage.database.of(tenant).read(lambda tx: budgets.listing(tx, tenant))
    return [usage["spent"] for budget in found for usage in budget["usage"]]


@pytest.mark.parametrize("scope", ["tenant", "workflow:loop", "agent:agent"])
async def test_a_budget_of_one_tenant_holds_nobody_elses_runs(apart: Stage, scope: str) -> None:
    await given_budget(apart, ACME, scope, "0.20")
    await given_budget(apart, DEFAULT_TENANT, scope, "9.00")

    theirs, ours = [await started(apart, tenant, "loop", steps=3) for tenant in BOTH]

    assert (await told(apart, ACME, theirs))["status"] == "failed"
    assert (await told(apart, DEFAULT_TENANT, ours))["status"] == "completed"
    assert [await spent(apart, tenant) for tenant in BOTH] == [["0.20 USD"], ["0.30 USD"]]


@pytest.mark.parametrize(
    ("scope", "halted"),
    [("tenant", [True, False]), ("workflow:loop", [True, False]), ("everything", [True, True])],
)
async def test_a_switch_over_one_tenant_stops_nobody_elses_runs(
    apart: Stage, scope: str, halted: list[bool]
) -> None:
    by = operator("ana", DEFAULT_TENANT if scope == "everything" else ACME)
    await apart.database.of(by.tenant).write(
        lambda tx: halting.engage(tx, by, scope, reason="Stop.")
    )

    begun = [await started(apart, tenant, "loop", steps=1) for tenant in BOTH]

    seen = [await told(apart, tenant, run) for tenant, run in zip(BOTH, begun, strict=True)]
    assert [each["waiting_for"] is not None for each in seen] == halted
    assert [each["status"] for each in seen] == [
        "waiting" if is_halted else "completed" for is_halted in halted
    ]
