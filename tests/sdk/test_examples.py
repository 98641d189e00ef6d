"""The examples do what their captions say."""

import json
import runpy
from pathlib import Path

import pytest

from examples import refund
from signoff import NoEffect, StepInfo
from signoff.calls import Call, make_call
from signoff.registry import load
from tests.architecture.sources import ROOT
from tests.sdk.desk import Desk

SCRIPT = str(ROOT / "examples" / "ask_from_a_script.py")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("REFUND_LEDGER", str(path))
    return path


def booked(ledger: Path) -> list[str]:
    return [json.loads(line)["what"] for line in ledger.read_text().splitlines()]


def test_an_order_that_cannot_be_has_no_effect(ledger: Path) -> None:
    with pytest.raises(NoEffect, match="no order"):
        refund.find_charge("../17")
    assert not ledger.exists()


def test_paying_back_twice_under_one_request_id_pays_once(ledger: Path) -> None:
    step = StepInfo(request_id="req_1", attempt=1)

    first = refund.pay_back("charge-17", "9.00", step=step)
    again = refund.pay_back("charge-17", "9.00", step=step)

    assert first == again
    assert booked(ledger) == ["paid back"]


def test_what_was_paid_back_is_taken_back_once(ledger: Path) -> None:
    payment = refund.pay_back("charge-17", "9.00", step=StepInfo(request_id="req_1", attempt=1))
    refund.take_back(payment, "charge-17", "9.00")
    refund.take_back(payment, "charge-17", "9.00")

    assert booked(ledger) == ["paid back", "taken back"]


def test_the_refund_is_registered_and_its_call_survives_a_restart() -> None:
    found = load(["examples.refund"])["refund"]
    call = make_call(refund.pay_back, ("charge-17", "9.00"), {}, undo=refund.take_back)

    assert found.parse({"order": "17", "amount": "9.00"}) == {"order": "17", "amount": "9.00"}
    assert Call.from_json(call.to_json(), undo=refund.take_back) == call


@pytest.mark.usefixtures("env")
def test_the_script_stops_at_a_no(desk: Desk) -> None:
    desk.end("rejected", comment="not on a Friday", by=["bo"])

    with pytest.raises(SystemExit, match="not on a Friday"):
        runpy.run_path(SCRIPT)


@pytest.mark.usefixtures("env")
def test_the_script_goes_on_with_consent(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.end("approved", by=["ana", "bo"])

    runpy.run_path(SCRIPT)

    assert capsys.readouterr().out == "Deploying, with the consent of ana, bo\n"
