"""What the demo's workflows do to the world: each deed once, and an undo for each."""

from pathlib import Path

import pytest

from bot.demo import workflows
from bot.demo.api import Line
from bot.demo.ledger import LEDGER, booked
from bot.demo.timeline import sentence
from signoff import StepInfo

STEP = StepInfo(request_id="req_1", attempt=1)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told() -> list[str]:
    return [done.line for done in booked(LEDGER)]


def test_nothing_was_done_before_anybody_did_it() -> None:
    assert told() == []


def test_a_second_attempt_pays_nothing_more() -> None:
    for attempt in (1, 2):
        step = StepInfo(request_id="req_1", attempt=attempt)
        workflows.pay_back("charge-17", "620.00 EUR", step=step)

    assert told() == ["paid back, charge-17, 620.00 EUR"]


def test_a_step_and_its_undo_happen_once_however_often_they_are_tried() -> None:
    for _ in range(2):
        deployment = workflows.deploy("4.2", step=STEP)
        workflows.take_down(deployment, "4.2")

    assert told() == ["deployed, 4.2", "took down, 4.2"]


def line(kind: str, **data: object) -> Line:
    return Line.model_validate(
        {"position": 1, "kind": kind, "name": "deploy", "data": data, "at": 0, "hash": "h"}
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (line("run.started"), ""),
        (line("step.finished"), "did deploy"),
        (line("approval.opened", content={"title": "Go?"}), "asks: Go?"),
        (
            line("vote.recorded", person="bo", choice="approve", channel="email"),
            "Bo Larsen approved by email",
        ),
        (line("rung.fired", text="remind after 1m"), "time has passed: remind after 1m"),
        (line("approval.decided", outcome="approved"), "decided: approved"),
    ],
)
def test_an_entry_is_told_in_words(entry: Line, words: str) -> None:
    assert sentence(entry) == words
