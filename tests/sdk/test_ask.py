"""One line in a script: ask, wait, go on or not."""

from datetime import timedelta

import pytest

from signoff import Rejected, SignoffError, ask
from tests.sdk.desk import Desk


@pytest.mark.anyio
async def test_it_refuses_to_stop_an_event_loop() -> None:
    with pytest.raises(RuntimeError, match="Client"):
        ask("Deploy?", approvers="group:ops")


@pytest.mark.usefixtures("no_env")
def test_it_refuses_without_a_key() -> None:
    with pytest.raises(SignoffError, match="SIGNOFF_API_KEY"):
        ask("Deploy?", approvers="group:ops")


@pytest.mark.usefixtures("env")
def test_a_no_is_an_exception_that_says_who_and_why(desk: Desk) -> None:
    desk.end("rejected", comment="not on a Friday", by=["bo"])

    with pytest.raises(Rejected, match="was rejected by bo: not on a Friday"):
        ask("Deploy?", approvers="group:ops")


@pytest.mark.usefixtures("env")
def test_nobody_answering_in_time_is_a_timeout(desk: Desk) -> None:
    with pytest.raises(TimeoutError):
        ask("Deploy?", approvers="group:ops", timeout=timedelta(0))

    assert len(desk.opened()) == 1


@pytest.mark.usefixtures("env")
def test_what_was_filled_in_comes_with_the_decision(desk: Desk) -> None:
    form = {"properties": {"when": {"type": "string", "enum": ["tonight", "tomorrow"]}}}
    desk.end("approved", changes={"when": "tonight"}, form={"when": "tonight"})

    decision = ask("Deploy?", approvers="group:ops", kind="form", form=form)

    assert (decision.form, decision.details) == ({"when": "tonight"}, {"order": "17"})
    asked = {"title": "Deploy?", "approvers": "group:ops", "kind": "form", "form": form}
    assert desk.opened() == [asked]


@pytest.mark.usefixtures("env")
def test_of_a_budget_the_details_say_what_was_granted(desk: Desk) -> None:
    granted = {"amount": "400.00 USD"}
    desk.end("approved", changes=granted)
    desk.endings[0]["effective"] = {"digest": "sha256:00", "details": granted, "call": None}

    decision = ask("Spend?", approvers="group:ops", kind="budget", details={"amount": "500.00 USD"})

    assert (decision.details["amount"], dict(decision.form)) == ("400.00 USD", {})


@pytest.mark.usefixtures("env")
def test_a_yes_returns_who_said_so(desk: Desk) -> None:
    desk.end("approved", by=["ana"])

    decision = ask("Deploy?", approvers="group:ops", action="deploy")

    assert decision.by == ("ana",)
    assert desk.opened() == [{"title": "Deploy?", "approvers": "group:ops", "action": "deploy"}]
