"""Compensations: on their own terms, with consent where they need it, and an operator's hand where they fail."""

from datetime import timedelta

import pytest

from engine.errors import Conflict, Invalid, NotAllowed
from engine.ids import DEFAULT_TENANT, RunId, WorkerId
from engine.rules.states import RunStatus, WaitingReason
from engine.services import changing, driving, rolling_back, runs
from engine.services.driving import Driven
from engine.services.rolling_back import Order
from engine.store.database import Transaction
from engine.store.journal import NewEntry
from engine.store.rollbacks import Report
from tests.engine.flows import FAIL, LEDGER
from tests.engine.stage import Stage
from tests.engine.test_editing import AGENT

pytestmark = pytest.mark.anyio

ALWAYS = 1_000
DONE = ["plain", "dangerous"]


async def given_rejected(stage: Stage, **terms: object) -> RunId:
    """A careful run whose people said no: its dangerous undo needs consent."""
    run = await stage.start("careful", **terms)
    await stage.vote(run, "ana", "reject", comment="wrong")
    return run


async def test_whoever_is_behind_a_run_does_not_consent_to_what_is_dangerous(stage: Stage) -> None:
    run = await stage.start_for("bo", "careful")
    await stage.vote(run, "ana", "reject", comment="wrong")

    refused = await stage.vote(run, "bo")
    before = list(LEDGER)
    await stage.vote(run, "chen")

    assert refused.refusal is not None
    assert refused.refusal.code == "not_eligible"
    assert (before, LEDGER[2:]) == (DONE, ["undo dangerous", "undo plain"])


async def test_whoever_started_a_run_does_not_withdraw_what_its_undoing_asks(stage: Stage) -> None:
    asked = (await stage.picture(await given_rejected(stage))).approvals[-1]

    with pytest.raises(NotAllowed) as refused:
        await stage.database.write(
            lambda tx: changing.cancel(tx, AGENT, asked.id, reason="Never mind.")
        )

    assert (refused.value.code, LEDGER) == ("not_yours", DONE)


async def report(stage: Stage, run: RunId) -> Report:
    """The run's last rollback."""
    found = (await stage.picture(run)).rollback
    assert found is not None
    return found


async def test_nothing_is_taken_over_that_is_not_stuck(stage: Stage) -> None:
    run = await given_rejected(stage)

    with pytest.raises(Conflict, match="is stuck"):
        await stage.database.write(
            lambda tx: rolling_back.take_over(
                tx, DEFAULT_TENANT, run, by="person:ana", reason="by hand"
            )
        )


async def test_a_dangerous_undo_waits_for_consent_and_older_ones_wait_with_it(stage: Stage) -> None:
    run = await given_rejected(stage)

    picture = await stage.picture(run)

    asked = picture.approvals[-1]
    assert (picture.row.status, picture.row.reason) == ("rolling_back", WaitingReason.APPROVAL)
    assert asked.title == "Undo dangerous of careful?"
    assert asked.call == {
        "name": "tests.engine.flows:undo",
        "arguments": {"args": ["dangerous", "dangerous"], "kwargs": {}},
    }
    assert asked.plan is None  # whoever rejects it undoes nothing
    assert LEDGER == DONE
    assert (await report(stage, run)).left == ("dangerous", "plain")


async def test_with_consent_all_is_undone(stage: Stage) -> None:
    run = await given_rejected(stage)

    await stage.vote(run, "bo")

    assert [*DONE, "undo dangerous", "undo plain"] == LEDGER
    found = await report(stage, run)
    assert (found.success, found.completion, found.left) == (True, 1.0, ())
    assert await stage.is_sound(run)


async def test_without_consent_the_step_stays_and_the_report_says_so(stage: Stage) -> None:
    run = await given_rejected(stage)

    await stage.vote(run, "bo", "reject", comment="leave it")

    found = await report(stage, run)
    assert [*DONE, "undo plain"] == LEDGER
    assert (found.success, found.completion, found.left) == (False, 0.5, ("dangerous",))
    assert found.cleanup == ("left as it is: dangerous", "undone: plain")
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK
    assert await stage.is_sound(run)


async def test_silence_undoes_nothing(stage: Stage) -> None:
    run = await given_rejected(stage)

    await stage.pass_time(timedelta(days=9))

    row = (await stage.picture(run)).row
    assert (row.status, row.reason) == (RunStatus.ROLLING_BACK, WaitingReason.APPROVAL)
    assert LEDGER == DONE


async def test_an_undo_has_as_many_tries_as_its_author_gave_it(stage: Stage) -> None:
    FAIL["undo dangerous"] = ALWAYS
    run = await given_rejected(stage, retries=1)
    await stage.vote(run, "bo")

    await stage.pass_time(timedelta(minutes=10))

    assert (await stage.picture(run)).row.reason is WaitingReason.STUCK
    assert (await stage.kinds(run)).count("compensation.failed") == 2


async def test_what_was_undone_by_hand_counts_as_undone(stage: Stage) -> None:
    FAIL["undo dangerous"] = ALWAYS
    run = await given_rejected(stage, retries=0)
    await stage.vote(run, "bo")

    step = await stage.database.write(
        lambda tx: rolling_back.take_over(
            tx, DEFAULT_TENANT, run, by="person:ana", reason="called the bank"
        )
    )
    await stage.worker().drain()

    found = await report(stage, run)
    assert step == "dangerous"
    assert [*DONE, "undo plain"] == LEDGER
    assert (found.success, found.cleanup) == (
        True,
        ("undone by hand: dangerous", "undone: plain"),
    )
    assert await stage.is_sound(run)


async def stuck_once(stage: Stage) -> RunId:
    """A rejected run whose irreversible undo failed, and nobody knows whether it did anything."""
    FAIL["undo booked"] = 1
    run = await stage.start("delicate")
    await stage.vote(run, "ana", "reject", comment="wrong")
    await stage.pass_time(timedelta(minutes=10))
    return run


async def test_an_irreversible_undo_is_not_repeated_by_itself(stage: Stage) -> None:
    run = await stuck_once(stage)

    picture = await stage.picture(run)
    assert picture.row.reason is WaitingReason.STUCK
    assert (await stage.kinds(run)).count("compensation.begun") == 2  # with the one before it
    assert LEDGER == ["first", "booked", "last", "undo last"]


async def test_an_operator_may_have_it_repeated(stage: Stage) -> None:
    run = await stuck_once(stage)

    await stage.database.write(
        lambda tx: runs.retry(tx, DEFAULT_TENANT, run, by="person:ana", reason="It is not there.")
    )
    await stage.worker().drain()

    assert LEDGER[3:] == ["undo last", "undo booked", "undo first"]
    assert (await report(stage, run)).success
    assert await stage.is_sound(run)


async def test_an_irreversible_undo_that_was_lost_with_its_process_is_left_to_operators(
    stage: Stage,
) -> None:
    run = await stage.start("delicate")
    order = Order(reason="wrong", by="person:ana", only=("booked",))
    await stage.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))
    await stage.database.write(lambda tx: begin_and_die(tx, run))

    await stage.worker().drain()

    row = (await stage.picture(run)).row
    assert (row.status, row.reason) == (RunStatus.ROLLING_BACK, WaitingReason.STUCK)
    assert "undo booked" not in LEDGER


def begin_and_die(tx: Transaction, run: RunId) -> None:
    """A driver that wrote what it was about to do, and is heard of no more."""
    [claim] = driving.claim(
        tx, worker=WorkerId("w"), workflows=["delicate@1"], lease_for=timedelta(), limit=1
    )
    driven = Driven(tenant=DEFAULT_TENANT, run=run, token=claim.token)
    begun = NewEntry(kind="compensation.begun", name="booked", path="1", data={"attempt": 1})
    driving.record(tx, driven, [begun])


@pytest.mark.parametrize(
    ("kinds", "undone"),
    [
        (("booking",), ["undo booked"]),
        (("letter", "step"), ["undo last", "undo first"]),
    ],
)
async def test_what_is_of_a_kind_is_undone_and_the_rest_stays(
    stage: Stage, kinds: tuple[str, ...], undone: list[str]
) -> None:
    run = await stage.start("delicate")
    order = Order(reason="some of it", by="person:ana", kinds=kinds)

    await stage.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))
    await stage.worker().drain()

    assert LEDGER[3:] == undone
    assert (await stage.picture(run)).row.status is RunStatus.ROLLED_BACK
    assert await stage.is_sound(run)


async def test_a_kind_that_is_not_there_is_refused_naming_those_that_are(stage: Stage) -> None:
    run = await stage.start("delicate")
    order = Order(reason="some of it", by="person:ana", kinds=("flight",))

    with pytest.raises(Invalid, match="there is: booking, letter, step") as refused:
        await stage.database.write(lambda tx: rolling_back.begin(tx, DEFAULT_TENANT, run, order))

    assert refused.value.code == "unknown_undo_kind"
