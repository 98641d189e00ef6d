"""Approvers change what is asked: exactly what they agreed to is done, and nothing else."""

from datetime import timedelta

import pytest

from engine.errors import AlreadyDecided, Invalid, Superseded
from engine.ids import RunId
from engine.store.pictures import ApprovalPicture
from tests.engine import flows
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

TEN = {"count": 10, "amount": "120.00 USD"}


async def shown(stage: Stage, run: RunId) -> ApprovalPicture:
    return (await stage.picture(run)).approvals[-1]


@pytest.mark.parametrize(
    ("choice", "changes"),
    [
        pytest.param("approve", {"people": 1000}, id="a field that is not marked"),
        pytest.param("approve", {"count": "10"}, id="a text where a number was"),
        pytest.param("approve", {"amount": "120.00 EUR"}, id="another currency"),
        pytest.param("reject", TEN, id="a rejection changes nothing"),
    ],
)
async def test_changes_that_are_not_allowed_are_no_vote(
    stage: Stage, choice: str, changes: dict[str, object]
) -> None:
    run = await stage.start("pizzas")

    receipt = await stage.vote(run, "ana", choice, changes=changes)

    assert isinstance(receipt.refusal, Invalid)
    assert receipt.refusal.code == "invalid_changes"
    assert not (await shown(stage, run)).votes


async def test_an_approval_of_yes_or_no_takes_no_changes(stage: Stage) -> None:
    run = await stage.start("paid-refund")

    receipt = await stage.vote(run, "ana", changes={"amount": "1.00"})

    assert isinstance(receipt.refusal, Invalid)
    assert receipt.refusal.code == "invalid_changes"


async def test_approvals_of_different_changes_do_not_add_up(stage: Stage) -> None:
    run = await stage.start("pizzas")

    await stage.vote(run, "ana", changes={"count": 10})
    await stage.vote(run, "bo", changes={"count": 20})
    receipt = await stage.vote(run, "chen")

    assert receipt.status == "open"
    assert "do not add up" in receipt.message
    assert flows.LEDGER == []


async def test_the_code_cannot_go_on_with_what_it_had_asked(stage: Stage) -> None:
    run = await stage.start("pizzas", cheat=True)

    for person in ("ana", "bo"):
        await stage.vote(run, person, changes=TEN)

    picture = await stage.picture(run)
    assert flows.LEDGER == []
    assert picture.row.error is not None
    assert picture.row.error["code"] == "digest_mismatch"


async def test_a_digest_of_nothing_that_was_proposed_is_superseded(stage: Stage) -> None:
    run = await stage.start("pizzas")
    await stage.vote(run, "ana", changes=TEN)

    receipt = await stage.vote(run, "bo", digest=f"sha256:{'0' * 64}")

    assert isinstance(receipt.refusal, Superseded)


async def test_a_digest_and_other_changes_contradict_each_other(stage: Stage) -> None:
    run = await stage.start("pizzas")
    await stage.vote(run, "ana", changes=TEN)
    [ten] = (await shown(stage, run)).modifying.outcomes

    receipt = await stage.vote(run, "bo", digest=ten.digest, changes={"count": 11})

    assert isinstance(receipt.refusal, Invalid)


async def test_exactly_what_was_agreed_is_done(stage: Stage) -> None:
    run = await stage.start("pizzas")

    await stage.vote(run, "ana", changes={"count": 10, "amount": "120 USD"})
    [ten] = (await shown(stage, run)).modifying.outcomes
    receipt = await stage.vote(run, "bo", digest=ten.digest)

    picture = await stage.picture(run)
    assert receipt.status == "approved"
    assert flows.LEDGER == ["order 10 for 120.00 USD"]
    assert picture.row.status == "completed"
    assert picture.row.result == {"changes": TEN, "details": {**TEN, "people": 10}}
    assert await stage.is_sound(run)


async def test_proposed_decided_and_effective_values_are_kept_apart(stage: Stage) -> None:
    run = await stage.start("pizzas")

    for person in ("ana", "bo"):
        await stage.vote(run, person, changes={"count": 10})

    picture = await shown(stage, run)
    told = picture.to_json()
    asked = {"count": 100, "amount": "1200.00 USD", "people": 10}
    assert told["details"] == asked
    assert told["proposed"] == {"count": 100, "amount": "1200.00 USD"}
    assert told["decided"] == {"count": 10}
    assert told["effective"] == {
        "digest": (picture.decision or {})["effective_digest"],
        "details": {**asked, "count": 10},
        "call": {
            "name": "tests.engine.flows:order",
            "arguments": {"args": [10], "kwargs": {"amount": "1200.00 USD"}},
        },
    }


async def test_what_is_typed_back_as_it_was_asked_is_no_change(stage: Stage) -> None:
    run = await stage.start("pizzas")

    await stage.vote(run, "ana", changes={"count": 100, "amount": "1200 USD"})
    receipt = await stage.vote(run, "bo")

    picture = await shown(stage, run)
    assert receipt.status == "approved"
    assert picture.decision is not None
    assert picture.decision["changes"] == {}
    assert picture.decision["effective_digest"] == picture.digest
    assert flows.LEDGER == ["order 100 for 1200.00 USD"]


async def test_a_button_means_what_it_showed_whatever_its_author_says_since(stage: Stage) -> None:
    run = await stage.start("pizzas")
    await stage.vote(run, "ana", changes={"count": 10})
    [ten] = (await shown(stage, run)).modifying.outcomes

    await stage.vote(run, "ana", changes={"count": 20})
    await stage.vote(run, "bo", digest=ten.digest)
    receipt = await stage.vote(run, "chen", digest=ten.digest)

    assert receipt.status == "approved"
    assert flows.LEDGER == ["order 10 for 1200.00 USD"]


async def test_the_same_changes_again_count_once(stage: Stage) -> None:
    run = await stage.start("pizzas")

    first = await stage.vote(run, "ana", changes={"count": 10})
    again = await stage.vote(run, "ana", changes={"count": 10})

    assert first.counted
    assert again.counted
    assert len((await shown(stage, run)).votes) == 1


async def test_a_late_change_is_kept_and_changes_nothing(stage: Stage) -> None:
    run = await stage.start("pizzas")
    for person in ("ana", "bo"):
        await stage.vote(run, person)

    receipt = await stage.vote(run, "chen", changes=TEN)

    assert isinstance(receipt.refusal, AlreadyDecided)
    assert flows.LEDGER == ["order 100 for 1200.00 USD"]


async def test_a_default_of_time_is_bound_by_the_same_rules(stage: Stage) -> None:
    refused = await stage.start("pizzas", rung='continue with {"people": 3} after 4h')
    run = await stage.start("pizzas", rung='continue with {"count": 10} after 4h')

    await stage.pass_time(timedelta(hours=4))

    assert (await stage.picture(refused)).row.status == "failed"
    assert flows.LEDGER == ["order 10 for 1200.00 USD"]
    assert (await shown(stage, run)).modifying.decided == {"count": 10}
