"""What a workflow, a budget or a case asks is not rewritten by whoever is waiting for the answer."""

import pytest

from engine.errors import Conflict, NotAllowed
from engine.ids import DEFAULT_TENANT, ApprovalId, KeyId, PersonId, RunId
from engine.services import approvals, budgets, changing, runs
from engine.services.budgets import Wanted as Limit
from engine.services.changing import VERSIONS_MAX, Edit
from engine.services.keys import Caller, Scope
from engine.store.database import Transaction
from engine.store.requests import Request
from tests.engine.sources import Matters
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

AGENT = Caller(
    tenant=DEFAULT_TENANT,
    key=KeyId("agent"),  # which starts the runs of the stage
    person=None,
    scopes=frozenset(Scope) - {Scope.OPERATE},
    owner=PersonId("chen"),
    name="agent",
    kind="key",
)
OPERATOR = Caller(
    tenant=DEFAULT_TENANT,
    key=None,
    person=PersonId("ana"),
    scopes=frozenset(Scope),
    owner=PersonId("ana"),
    name="Ana",
    kind="person",
)
EDITS = (
    Edit(approvers="person:eve", quorum=1),
    Edit(quorum=1),
    Edit(title="Pay 1.00?"),
    Edit(details={"amount": "1.00"}),
)


async def asked_in(stage: Stage, run: RunId) -> ApprovalId:
    return (await stage.picture(run)).approvals[-1].id


async def edited(stage: Stage, approval: str, edit: Edit, *, by: Caller) -> int:
    picture = await stage.database.write(lambda tx: changing.edit(tx, by, approval, edit))
    return picture.version


async def refused(stage: Stage, approval: str) -> None:
    for edit in EDITS:
        with pytest.raises(NotAllowed) as refusal:
            await edited(stage, approval, edit, by=AGENT)
        assert refusal.value.code == "not_yours"


async def test_whoever_started_a_run_chooses_neither_who_decides_nor_what_they_read(
    stage: Stage,
) -> None:
    approval = await asked_in(stage, await stage.start("paid-refund"))

    await refused(stage, approval)

    assert await edited(stage, approval, Edit(title="Pay this?"), by=OPERATOR) == 2
    cancelled = await stage.database.write(
        lambda tx: changing.cancel(tx, AGENT, approval, reason="No longer.")
    )
    assert cancelled.status == "cancelled"


async def test_nor_does_whoever_wants_to_spend_more(stage: Stage) -> None:
    wanted = Limit(scope="tenant", limit={"steps": 1}, then="wait", approvers="person:bo")
    await stage.database.write(
        lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="tests")
    )
    await stage.start("deploy")

    [asked] = await stage.database.read(
        lambda tx: approvals.page(tx, DEFAULT_TENANT, approvals.Wanted(status="open"))
    )

    assert asked.action == "raise-budget"
    await refused(stage, asked.id)


async def test_nor_does_whoever_opened_a_case(stage: Stage) -> None:
    matters = Matters(stage=stage)
    case = await matters.begin(by=AGENT)
    await matters.all_say(case, "yes", "no")

    await refused(stage, await asked_in(stage, await matters.question(case)))


async def test_nobody_is_told_of_edits_without_end(stage: Stage) -> None:
    request = Request(title="Pay?", action="pay", approvers="person:bo", requester="key:agent")

    def ask_and_edit(tx: Transaction) -> str:
        row = approvals.ask(tx, DEFAULT_TENANT, request, started_by="key:agent", owner=None)
        for number in range(2, VERSIONS_MAX + 1):
            changing.edit(tx, AGENT, row.id, Edit(title=f"Pay {number}?"))
        return row.id

    approval = await stage.database.write(ask_and_edit)

    with pytest.raises(Conflict) as refusal:
        await edited(stage, approval, Edit(title="Pay now?"), by=AGENT)
    seen = await stage.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, approval))
    assert (refusal.value.code, seen.version) == ("too_many_versions", VERSIONS_MAX)
    assert not await stage.database.read(lambda tx: runs.verify(tx, DEFAULT_TENANT, seen.run))


async def test_a_run_goes_on_with_the_details_that_people_read(stage: Stage) -> None:
    run = await stage.start("pizzas")
    details: dict[str, object] = {"count": 100, "amount": "1200.00 USD", "people": 12}
    await edited(stage, await asked_in(stage, run), Edit(details=details), by=OPERATOR)

    await stage.vote(run, "bo", changes={"count": 10})
    await stage.vote(run, "chen", changes={"count": 10})

    result = (await stage.picture(run)).row.result
    assert result == {"changes": {"count": 10}, "details": {**details, "count": 10}}
    assert await stage.is_sound(run)
