"""Forms and budgets: what approvers fill in or grant is what is done, and nothing that was not asked."""

from datetime import timedelta

import pytest

from engine.errors import Invalid
from engine.ids import RunId
from engine.store.pictures import ApprovalPicture
from tests.engine.kinds import DONE
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

TONIGHT = {"window": "tonight"}


async def shown(stage: Stage, run: RunId) -> ApprovalPicture:
    return (await stage.picture(run)).approvals[-1]


@pytest.mark.parametrize(
    ("choice", "form"),
    [
        pytest.param("approve", None, id="nothing is answered"),
        pytest.param("approve", {"replicas": 2}, id="what is required is left out"),
        pytest.param("approve", {"window": None}, id="what is required is taken out"),
        pytest.param("approve", {**TONIGHT, "replicas": None}, id="a default is taken out"),
        pytest.param("approve", {"window": "never"}, id="none of the options"),
        pytest.param("approve", {**TONIGHT, "replicas": 10}, id="above the limit"),
        pytest.param("approve", {**TONIGHT, "region": "eu"}, id="not asked"),
        pytest.param("approve", {**TONIGHT, "checks": ["odd"]}, id="one that is no option"),
    ],
)
async def test_a_form_that_is_not_filled_in_as_asked_is_no_vote(
    stage: Stage, choice: str, form: dict[str, object] | None
) -> None:
    run = await stage.start("rollout")

    receipt = await stage.vote(run, "ana", choice, form=form)

    assert isinstance(receipt.refusal, Invalid)
    assert receipt.refusal.code == "invalid_form"
    assert not (await shown(stage, run)).votes


async def test_whoever_rejects_fills_nothing_in(stage: Stage) -> None:
    run = await stage.start("rollout")

    refused = await stage.vote(run, "ana", "reject", form=TONIGHT)
    receipt = await stage.vote(run, "ana", "reject")

    assert isinstance(refused.refusal, Invalid)
    assert receipt.status == "rejected"
    assert DONE == []


async def test_changes_are_not_answers_and_answers_are_not_changes(stage: Stage) -> None:
    form, budget = await stage.start("rollout"), await stage.start("campaign")

    first = await stage.vote(form, "ana", changes=TONIGHT)
    second = await stage.vote(budget, "ana", form={"amount": "1.00"})

    assert isinstance(first.refusal, Invalid)
    assert isinstance(second.refusal, Invalid)
    assert (first.refusal.code, second.refusal.code) == ("invalid_form", "invalid_changes")


async def test_answers_that_differ_do_not_add_up(stage: Stage) -> None:
    run = await stage.start("rollout")

    await stage.vote(run, "ana", form=TONIGHT)
    receipt = await stage.vote(run, "bo", form={"window": "tomorrow"})

    assert receipt.status == "open"
    assert DONE == []


async def test_boxes_that_are_left_alone_say_what_boxes_that_are_left_out_say(stage: Stage) -> None:
    run = await stage.start("rollout")

    await stage.vote(run, "ana", form={**TONIGHT, "checks": [], "on_call": False})
    receipt = await stage.vote(run, "bo", form=TONIGHT)

    assert receipt.status == "approved"
    assert [(await shown(stage, run)).modifying.decided] == [TONIGHT]


async def test_the_code_cannot_go_on_without_what_was_filled_in(stage: Stage) -> None:
    run = await stage.start("rollout", cheat=True, quorum=1)

    await stage.vote(run, "ana", form=TONIGHT)

    picture = await stage.picture(run)
    assert DONE == []
    assert picture.row.error is not None
    assert picture.row.error["code"] == "digest_mismatch"


async def test_the_second_agrees_to_the_first_ones_answers_by_one_press(stage: Stage) -> None:
    run = await stage.start("rollout")
    filled = {"window": "tomorrow", "replicas": 5, "checks": ["load", "smoke"]}
    await stage.vote(run, "ana", form=filled)
    [proposed] = (await shown(stage, run)).modifying.outcomes

    receipt = await stage.vote(run, "bo", digest=proposed.digest)

    picture = await stage.picture(run)
    kept = {**filled, "checks": ["smoke", "load"], "on_call": False}
    assert receipt.status == "approved"
    assert DONE == ["2.1 tomorrow x5"]
    assert picture.row.result == {"form": kept, "details": {"version": "2.1"}}
    assert await stage.is_sound(run)


async def test_what_is_asked_answered_and_effective_is_told(stage: Stage) -> None:
    run = await stage.start("rollout", quorum=1)
    await stage.vote(run, "ana", form={**TONIGHT, "replicas": 3})

    picture = await shown(stage, run)
    told = picture.to_json()

    filled = {"window": "tonight", "replicas": 3, "checks": [], "on_call": False}
    asked: object = told["form"]
    assert isinstance(asked, dict)
    assert list(asked["properties"]) == ["window", "replicas", "checks", "on_call"]
    assert told["kind"] == "form"
    assert told["fields"] == ["window", "replicas", "checks", "on_call"]
    assert told["proposed"] == {"window": None, "replicas": 3, "checks": [], "on_call": False}
    assert told["decided"] == TONIGHT
    assert told["effective"] == {
        "digest": (picture.decision or {})["effective_digest"],
        "details": {"version": "2.1"},
        "form": filled,
        "call": {
            "name": "tests.engine.kinds:roll_out",
            "arguments": {"args": ["2.1", 3], "kwargs": {"window": "tonight"}},
        },
    }


async def test_time_alone_answers_only_what_a_rung_says_in_full(stage: Stage) -> None:
    refused = await stage.start("rollout", rung="continue with {} after 4h")
    run = await stage.start("rollout", rung='continue with {"window": "tonight"} after 4h')

    await stage.pass_time(timedelta(hours=4))

    assert (await stage.picture(refused)).row.status == "failed"
    assert DONE == ["2.1 tonight x3"]
    assert (await stage.picture(run)).row.status == "completed"


@pytest.mark.parametrize(
    "amount", ["50000.01 USD", "0.00 USD", "-1.00 USD", "40000.00 EUR", "40000.001 USD", 40000.0]
)
async def test_nobody_grants_more_than_was_asked_or_nothing(stage: Stage, amount: object) -> None:
    run = await stage.start("campaign")

    receipt = await stage.vote(run, "ana", changes={"amount": amount})

    assert isinstance(receipt.refusal, Invalid)
    assert receipt.refusal.code == "invalid_changes"
    assert DONE == []


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        pytest.param(None, "50000.00 USD", id="all of it"),
        pytest.param({"amount": "50000 USD"}, "50000.00 USD", id="all of it, in words"),
        pytest.param({"amount": "40000"}, "40000.00 USD", id="less"),
    ],
)
async def test_what_is_granted_is_what_is_spent(
    stage: Stage, changes: dict[str, object] | None, granted: str
) -> None:
    run = await stage.start("campaign")

    await stage.vote(run, "ana", changes=changes)

    picture = await stage.picture(run)
    assert [f"spent {granted}"] == DONE
    assert picture.row.result == granted
    assert (await shown(stage, run)).to_json()["kind"] == "budget"


async def test_grants_of_different_amounts_do_not_add_up(stage: Stage) -> None:
    run = await stage.start("campaign", quorum=2)

    await stage.vote(run, "ana", changes={"amount": "40000"})
    receipt = await stage.vote(run, "bo", changes={"amount": "30000"})

    assert receipt.status == "open"
    assert DONE == []


async def test_who_takes_every_default_out_does_not_agree_with_who_leaves_them(
    stage: Stage,
) -> None:
    run = await stage.start("reminder")
    await stage.vote(run, "ana", form={"when": None})
    [empty] = (await shown(stage, run)).modifying.outcomes

    contradicted = await stage.vote(run, "bo")
    agreed = await stage.vote(run, "bo", digest=empty.digest)

    assert empty.digest != (await shown(stage, run)).digest
    assert contradicted.status == "open"
    assert agreed.status == "approved"
    assert DONE == ["at None"]
    assert await stage.is_sound(run)
