"""The definitions in `examples/` do what their first lines say."""

import importlib
import json
from pathlib import Path

import pytest

from engine.errors import Invalid
from engine.ids import PersonId, RunId
from engine.rules.answers import BadAnswer
from engine.rules.tally import Choice
from engine.rules.values import BadChange
from engine.services import votes
from engine.services.votes import Ballot
from engine.store.database import Database
from tests.architecture.sources import ROOT
from tests.clock import ManualClock
from tests.engine.written import Written

pytestmark = pytest.mark.anyio

FOLDER = ROOT / "examples" / "definitions"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "book.jsonl"
    path.touch()
    monkeypatch.setenv("SHOP_LEDGER", str(path))
    return path


@pytest.fixture
async def stage(database: Database, clock: ManualClock, book: Path) -> Written:
    importlib.import_module("examples.definitions.tasks")
    made = Written(database, clock)
    await made.prepare()
    return made


def booked(book: Path) -> list[str]:
    return [json.loads(line)["what"] for line in book.read_text().splitlines()]


async def given(stage: Written, file: str, **inputs: object) -> RunId:
    await stage.write((FOLDER / file).read_text(encoding="utf-8"))
    return await stage.begin(file.partition(".")[0], **inputs)


async def ended(stage: Written, run: RunId) -> tuple[str, object]:
    row = (await stage.picture(run)).row
    return row.status, row.result


async def test_a_rejected_order_is_refunded_and_its_stock_released(
    stage: Written, book: Path
) -> None:
    run = await given(stage, "order.yaml", order="17", amount="620.00 USD", items=["a", "b"])

    await stage.vote(run, "bo", "reject")

    assert await ended(stage, run) == ("rolled_back", None)
    assert booked(book)[:3] == ["reserve a", "reserve b", "charge 620.00 USD for 17"]
    assert booked(book)[3:] == ["refund 620.00 USD for 17", "release b", "release a"]


async def test_an_approved_order_is_shipped(stage: Written, book: Path) -> None:
    run = await given(stage, "order.yaml", order="17", amount="620.00 USD")

    await stage.vote(run, "bo")

    done = {"order": "17", "shipped": "ship 17", "approved_by": ["bo"]}
    assert await ended(stage, run) == ("completed", done)


async def test_a_small_order_asks_nobody(stage: Written, book: Path) -> None:
    run = await given(stage, "order.yaml", order="17", amount="12.00 USD")

    assert (await ended(stage, run))[0] == "completed"


async def test_a_deployment_that_nobody_wants_is_taken_back(stage: Written, book: Path) -> None:
    run = await given(stage, "deployment.yaml", version="2.0")

    await stage.vote(run, "dana", "reject", comment="Not today.")

    assert (await ended(stage, run))[0] == "rolled_back"
    assert booked(book) == ["deploy 2.0 to staging", "take 2.0 back from staging"]


@pytest.mark.parametrize(
    ("version", "complexity", "approvals", "checkpoints"),
    [("2.0", "simple", 1, 2), ("2.0", "medium", 1, 3), ("2.0", "complex", 2, 3), ("risky", "simple", 2, 2)],
)  # fmt: skip
async def test_a_deployment_stops_as_often_as_it_must(
    stage: Written, version: str, complexity: str, approvals: int, checkpoints: int
) -> None:
    run = await given(stage, "deployment.yaml", version=version, complexity=complexity)

    for _ in range(approvals):
        await stage.vote(run, "dana")

    picture = await stage.picture(run)
    assert picture.row.status == "completed"
    assert (len(picture.approvals), len(picture.checkpoints)) == (approvals, checkpoints)


@pytest.mark.parametrize("answers", [None, {"replicas": 10}, {"watched_by": 7}])
async def test_a_deployment_is_not_made_with_answers_that_are_none(
    stage: Written, book: Path, answers: dict[str, object] | None
) -> None:
    run = await given(stage, "deployment.yaml", version="2.0", complexity="simple")

    receipt = await stage.vote(run, "dana", form={"replicas": None, **(answers or {})})

    assert isinstance(receipt.refusal, Invalid)
    assert receipt.refusal.code == "invalid_form"
    assert booked(book) == ["deploy 2.0 to staging"]


async def test_a_deployment_is_made_as_the_form_says(stage: Written, book: Path) -> None:
    run = await given(stage, "deployment.yaml", version="2.0", complexity="simple")

    await stage.vote(run, "dana", form={"replicas": 5, "watched_by": "Dana"})

    assert booked(book)[1:] == ["deploy 2.0 to production 5 times"]


@pytest.mark.parametrize("granted", ["50000.01", "0", "40000.00 EUR", 40_000])
async def test_of_a_budget_nobody_grants_more_or_something_else(
    stage: Written, book: Path, granted: object
) -> None:
    run = await given(stage, "marketing_budget.yaml", purpose="spring")

    receipt = await stage.vote(run, "bo", changes={"amount": granted})

    assert isinstance(receipt.refusal, BadChange)
    assert booked(book) == []


@pytest.mark.parametrize("granted", ["50000.00 USD", "40000.00 USD"])
async def test_a_large_budget_needs_the_leads_too(stage: Written, book: Path, granted: str) -> None:
    run = await given(stage, "marketing_budget.yaml", purpose="spring")
    await stage.vote(run, "bo", changes={"amount": granted})
    said = {"justification": "It went well.", "quarter": "Q2"}

    short = await stage.vote(run, "dana", form={**said, "justification": "Too short"})
    asked = (await stage.picture(run)).approvals[-1]
    await stage.vote(run, "dana", form=said)

    assert isinstance(short.refusal, BadAnswer)
    assert list(asked.modifying.content.asked) == ["justification", "quarter", "report_by"]
    result = {"transfer": f"transfer {granted} to marketing", "manager": ["bo"], "spend_in": "Q2"}
    assert await ended(stage, run) == ("completed", result)
    assert booked(book) == [result["transfer"]]


async def test_of_what_is_granted_little_the_leads_are_not_asked(
    stage: Written, book: Path
) -> None:
    run = await given(stage, "marketing_budget.yaml", purpose="spring")

    await stage.vote(run, "bo", changes={"amount": "25000.00"})

    assert (await ended(stage, run))[0] == "completed"
    assert booked(book) == ["transfer 25000.00 USD to marketing"]


async def test_a_document_is_read_by_all_before_it_is_published(stage: Written, book: Path) -> None:
    run = await given(stage, "document_review.yaml", document="terms")
    first = (await stage.picture(run)).approvals

    await vote_on(stage, run, "legal", "eve")
    await vote_on(stage, run, "business", "bo")
    before = booked(book)
    await vote_on(stage, run, "lead", "dana")

    assert sorted(each.action for each in first) == ["business", "legal"]
    assert (before, booked(book)) == ([], ["publish terms"])


async def test_backups_are_deleted_once_an_operator_has_seen_which(
    stage: Written, book: Path
) -> None:
    run = await given(stage, "delete_backups.json")
    asked = (await stage.picture(run)).approvals[0]

    await stage.vote(run, "ana")

    assert asked.title == "Delete 100 GB of old backups?"
    assert booked(book) == ["delete backup-90", "delete backup-91"]


async def vote_on(stage: Written, run: RunId, action: str, person: str) -> None:
    of_it = [each for each in (await stage.picture(run)).approvals if each.action == action]
    ballot = Ballot(
        tenant=stage.workflows.tenant,
        approval=of_it[-1].id,
        person=PersonId(person),
        choice=Choice.APPROVE,
        channel="web",
        identified_by="session",
    )
    receipt = await stage.database.write(lambda tx: votes.cast(tx, ballot))
    assert receipt.counted
    await stage.worker().drain()
