"""Definitions ask with forms and for budgets, and go on with what was said."""

import pytest

from engine.errors import Invalid
from engine.store.database import Database
from tests.clock import ManualClock
from tests.engine.written import Written

pytestmark = pytest.mark.anyio

PLANNED = """
{
  "name": "planned",
  "inputs": {"amount": "money"},
  "steps": [
    {"name": "grant", "type": "approval", "kind": "budget", "title": "${inputs.amount}?",
     "approvers": "group:finance", "details": {"amount": "${inputs.amount}", "department": "Sales"}},
    {"name": "plan", "type": "approval", "kind": "form", "title": "When?",
     "approvers": "group:finance",
     "form": {"required": ["when"], "properties": {
       "when": {"type": "string", "enum": ["now", "later"]},
       "why": {"type": "string", "format": "textarea"},
       "copies": {"type": "integer", "default": 2}}}},
    {"name": "late", "type": "checkpoint", "when": "steps.plan.form.when == \\"later\\""},
    {"name": "silent", "type": "checkpoint", "when": "steps.plan.form.why == null"}
  ],
  "result": {"granted": "${steps.grant.details.amount}", "form": "${steps.plan.form}",
             "by": "${steps.plan.by}", "changed": "${steps.plan.changes}"}
}
"""


@pytest.fixture
async def stage(database: Database, clock: ManualClock) -> Written:
    made = Written(database, clock)
    await made.prepare()
    return made


async def test_a_definition_in_json_asks_with_a_form_and_for_a_budget(stage: Written) -> None:
    await stage.write(PLANNED)
    run = await stage.begin("planned", amount="50.00 USD")

    await stage.vote(run, "ana", changes={"amount": "40"})
    empty = await stage.vote(run, "ana")
    await stage.vote(run, "bo", form={"when": "now"})

    assert isinstance(empty.refusal, Invalid)
    picture = await stage.picture(run)
    assert [each.modifying.content.kind for each in picture.approvals] == ["budget", "form"]
    assert picture.row.result == {
        "granted": "40.00 USD",
        "form": {"when": "now", "why": None, "copies": 2},
        "by": ["bo"],
        "changed": {"when": "now"},
    }
    assert [each["name"] for each in picture.checkpoints] == ["silent"]
