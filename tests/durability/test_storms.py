"""Everybody at once: many votes, many rungs, many cancellations, and each of them told the truth."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from bot.chaos.checker.pages import opened_book
from engine.errors import AlreadyDecided, EngineError, Superseded, TooLate
from engine.ids import DEFAULT_TENANT, PersonId, RunId, WorkerId
from engine.rules.states import ApprovalStatus, RunStatus
from engine.rules.tally import Choice
from engine.services import approvals, changing, configuration, driving, rungs, runs, votes
from engine.services.approvals import Request
from engine.services.votes import Ballot, CastReceipt
from engine.store.database import Transaction
from engine.store.directory import Directory, ListedPerson
from engine.store.keys import Caller, Scope
from engine.store.pictures import ApprovalPicture
from tests.durability.scene import LATER, Scene

pytestmark = pytest.mark.anyio

OPERATOR = Caller(
    tenant=DEFAULT_TENANT,
    key=None,
    person=PersonId("zoe"),
    scopes=frozenset({Scope.OPERATE}),
    owner=None,
    name="Zoe",
    kind="person",
)
CROWD = 120  # people who are asked
Told = CastReceipt | EngineError


async def given_asked(
    scene: Scene, *, quorum: int = 2, reject_quorum: int = 1, ladder: str = "reject after 1h"
) -> str:
    """One approval of everybody in a crowd."""
    people = tuple(
        ListedPerson(id=PersonId(f"p{number}"), name=f"P {number}") for number in range(CROWD)
    )
    crowd = frozenset(person.id for person in people)
    listed = Directory(people=people, groups={"crowd": crowd}, roles={}, routes={})
    request = Request(
        title="Everybody?",
        action="storm",
        approvers="group:crowd",
        quorum=quorum,
        reject_quorum=reject_quorum,
        ladder=[ladder],
    )

    def asked(tx: Transaction) -> str:
        configuration.apply(tx, DEFAULT_TENANT, listed)
        row = approvals.ask(tx, DEFAULT_TENANT, request, started_by="key:agent", owner=None)
        return row.id

    return await scene.database.write(asked)


async def press(scene: Scene, approval: str, person: str, choice: Choice) -> Told:
    """Vote, and hear what one is told."""
    ballot = Ballot(
        tenant=DEFAULT_TENANT,
        approval=approval,
        person=PersonId(person),
        choice=choice,
        channel="web",
        identified_by="session",
    )
    return await heard(votes.vote(scene.database, ballot))


async def heard(deed: Awaitable[CastReceipt]) -> Told:
    try:
        return await deed
    except EngineError as refusal:
        return refusal


async def picture(scene: Scene, approval: str) -> ApprovalPicture:
    return await scene.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, approval))


def decisions(scene: Scene, approval: str) -> int:
    """How often the journals say that it was decided."""
    return sum(
        entry["kind"] == "approval.decided" and entry["data"]["approval"] == approval
        for entries in opened_book(scene.database.path).journals.values()
        for entry in entries
    )


@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_of_many_votes_at_once_two_decide_and_all_others_hear_who_did(
    scene: Scene, count: int
) -> None:
    approval = await given_asked(scene)

    told = await asyncio.gather(
        *(press(scene, approval, f"p{n % CROWD}", Choice.APPROVE) for n in range(count))
    )

    ended = await picture(scene, approval)
    by = {"P 0", "P 1"}
    late = [str(each) for each in told if isinstance(each, AlreadyDecided)]
    recorded = [each for each in told if isinstance(each, CastReceipt)]
    assert ended.status is ApprovalStatus.APPROVED
    assert Counter(each.message for each in recorded[:2]) == Counter(
        ["Recorded. 1 of 2 approvals.", "Recorded. Approved: 2 of 2 approvals."]
    )
    assert len(late) + len(recorded) == count
    # Pressing the same again is answered the same: it is recorded already.
    assert len(recorded) == sum(n % CROWD < 2 for n in range(count))
    assert all(all(name in words for name in by) for words in late)
    assert decisions(scene, approval) == 1
    await scene.drive()
    assert scene.violations(is_quiet=False) == []


async def test_of_votes_for_and_against_at_once_one_side_wins_and_nobody_hears_otherwise(
    scene: Scene,
) -> None:
    approval = await given_asked(scene, quorum=40, reject_quorum=40)
    sides = [Choice.APPROVE if number % 2 else Choice.REJECT for number in range(CROWD)]

    told = await asyncio.gather(
        *(press(scene, approval, f"p{n}", side) for n, side in enumerate(sides))
    )

    ended = await picture(scene, approval)
    final = [each.status for each in told if isinstance(each, CastReceipt)]
    assert ended.status is ApprovalStatus.REJECTED  # an even number went first
    assert set(final) == {ApprovalStatus.OPEN, ended.status}
    assert final.count(ended.status) == 1
    assert all("rejected" in str(each) for each in told if isinstance(each, EngineError))
    assert decisions(scene, approval) == 1
    assert scene.violations(is_quiet=False) == []


@pytest.mark.parametrize("offset", [-1, 0, 1], ids=["just before", "at", "just after"])
async def test_votes_at_the_moment_of_the_last_rung_count_before_it_and_never_from_it_on(
    scene: Scene, offset: int
) -> None:
    approval = await given_asked(scene, quorum=1)
    await scene.pass_time(timedelta(hours=1) + timedelta(microseconds=offset))

    told, _fired = await asyncio.gather(
        asyncio.gather(*(press(scene, approval, f"p{n}", Choice.APPROVE) for n in range(20))),
        asyncio.gather(*(scene.database.write(rungs.fire_due) for _ in range(5))),
    )

    ended = await picture(scene, approval)
    if offset < 0:
        assert ended.status is ApprovalStatus.APPROVED
    else:
        assert {type(each) for each in told} == {TooLate}
        assert ended.status is ApprovalStatus.EXPIRED
    assert decisions(scene, approval) == 1
    await scene.drive()
    assert scene.violations(is_quiet=False) == []


async def test_edits_extensions_and_a_withdrawal_among_votes_leave_one_true_story(
    scene: Scene,
) -> None:
    approval = await given_asked(scene, quorum=3)
    database = scene.database

    def edited(number: int) -> Awaitable[object]:
        wanted = changing.Edit(details={"round": number})
        return database.write(lambda tx: changing.edit(tx, OPERATOR, approval, wanted))

    extended = database.write(
        lambda tx: changing.extend(tx, OPERATOR, approval, by="1h", reason="more time")
    )
    withdrawn = database.write(
        lambda tx: changing.cancel(tx, OPERATOR, approval, reason="not needed")
    )
    deeds: list[Awaitable[object]] = []
    for number in range(10):
        deeds += [press(scene, approval, f"p{number}", Choice.APPROVE), edited(number)]
    deeds += [press(scene, approval, "p1", Choice.REJECT), extended, withdrawn]
    deeds += [press(scene, approval, f"p{number}", Choice.APPROVE) for number in range(3)]

    told = await asyncio.gather(*deeds, return_exceptions=True)

    ended = await picture(scene, approval)
    assert ended.version == 11
    assert ended.status is ApprovalStatus.REJECTED
    assert [type(each) for each in told[-5:-3]] == [AlreadyDecided, AlreadyDecided]
    assert [type(each) for each in told[-3:]] == [AlreadyDecided] * 3
    assert decisions(scene, approval) == 1
    assert scene.violations(is_quiet=False) == []


async def test_a_vote_on_what_was_shown_before_an_edit_never_counts_for_what_came_after(
    scene: Scene,
) -> None:
    approval = await given_asked(scene, quorum=1)
    seen = await picture(scene, approval)
    wanted = changing.Edit(title="Everybody, and more?")
    ballot = Ballot(
        tenant=DEFAULT_TENANT,
        approval=approval,
        person=PersonId("p1"),
        choice=Choice.APPROVE,
        digest=seen.digest,
        version=seen.version,
        channel="web",
        identified_by="session",
    )

    _edited, told = await asyncio.gather(
        scene.database.write(lambda tx: changing.edit(tx, OPERATOR, approval, wanted)),
        heard(votes.vote(scene.database, ballot)),
    )

    assert isinstance(told, Superseded)
    assert (await picture(scene, approval)).status is ApprovalStatus.OPEN
    assert scene.violations(is_quiet=False) == []


@pytest.mark.parametrize("count", [60, pytest.param(2_000, marks=pytest.mark.slow)])
async def test_rungs_that_are_due_at_one_instant_fire_once_each_whoever_gets_there(
    scene: Scene, count: int
) -> None:
    await given_asked(scene, ladder="hold after 30d")
    request = Request(
        title="One of many?",
        action="storm",
        approvers="group:crowd",
        ladder=["remind after 30m", "reject after 1h"],
    )

    def asked(tx: Transaction) -> None:
        for _ in range(count):
            approvals.ask(tx, DEFAULT_TENANT, request, started_by="key:agent", owner=None)

    await scene.database.write(asked)
    await scene.pass_time(timedelta(hours=1))
    rounds = 2 * count // rungs.BATCH_MAX + 1
    fired = await asyncio.gather(*(scene.database.write(rungs.fire_due) for _ in range(rounds + 3)))

    book = opened_book(scene.database.path)
    assert sum(fired) == 2 * count
    assert all(
        row["status"] == "expired" for row in book["approvals"] if row["title"] != "Everybody?"
    )
    assert sum(row["kind"] == "rung.fired" for row in book["journal"]) == 2 * count
    assert scene.violations(is_quiet=False) == []


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.slow)])
async def test_runs_that_are_cancelled_while_they_are_driven_end_cancelled_and_do_no_more(
    scene: Scene, count: int
) -> None:
    started = [await scene.start("shaky_deploy") for _ in range(count)]
    stopped: list[BaseException | None] = []

    async def cancelled(run: RunId) -> None:
        with scene.database.hints.listen(f"run:{run}") as ear:
            await ear.wait(timedelta(seconds=30))
        try:
            await scene.database.write(
                lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:zoe", reason="stop")
            )
            stopped.append(None)
        except EngineError as refusal:
            stopped.append(refusal)

    async with asyncio.TaskGroup() as group:
        for run in started:
            group.create_task(cancelled(run))
        group.create_task(scene.worker().drain())
    await scene.pass_time(LATER)
    await scene.drive()

    book = opened_book(scene.database.path)
    kinds = Counter(row["kind"] for row in book["journal"])
    assert stopped == [None] * count
    assert kinds["run.started"] == kinds["run.cancelled"] == count
    assert Counter(row["status"] for row in book["runs"]) == {RunStatus.CANCELLED: count}
    assert scene.violations(is_quiet=False) == []


async def test_many_workers_at_once_share_the_runs_and_none_is_driven_twice(scene: Scene) -> None:
    started = {await scene.start("shaky_nap") for _ in range(40)}

    async def share(worker: str) -> list[RunId]:
        held = await scene.database.write(
            lambda tx: driving.claim(
                tx, worker=WorkerId(worker), workflows=["shaky_nap@1"], lease_for=LATER, limit=3
            )
        )
        return [claim.run.id for claim in held]

    shares = await asyncio.gather(*(share(f"w{number}") for number in range(16)))

    taken = [run for each in shares for run in each]
    assert len(taken) == len(set(taken)) == len(started)
    assert set(taken) == started
