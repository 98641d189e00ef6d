"""What a definition says of failures, pauses, undos, loops and secrets means what it means in code."""

from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest

from engine.errors import Conflict, NotFound
from engine.http import Egress
from engine.ids import DEFAULT_TENANT, RunId
from engine.runtime.definitions.held import Held
from engine.secrets import Secret, Secrets
from engine.services import definitions, runs, votes
from engine.services.votes import Ballot
from engine.store.database import Database, Transaction
from tests.clock import ManualClock
from tests.engine.flows import FAIL, LEDGER
from tests.engine.targets import target
from tests.engine.test_branches import cast_on
from tests.engine.written import Written

pytestmark = pytest.mark.anyio

DEED = "type: task, task: 'tests.engine.flows:deed'"
UNDONE = f"{DEED}, undo: 'tests.engine.flows:undo'"
FRAGILE = f"""
    name: fragile_one
    on_failure: %s
    max_rollbacks: 1
    steps:
      - {{name: first, {UNDONE}, args: [first]}}
      - {{name: half, type: checkpoint}}
      - {{name: breaks, {DEED}, args: [breaks]}}
"""
ASKED = f"""
    name: asked_again
    steps:
      - {{name: first, {UNDONE}, args: [first]}}
      - {{name: half, type: checkpoint}}
      - {{name: second, {UNDONE}, args: ["second ${{run.feedback}}"]}}
      - {{name: ask, type: approval, title: "Go?", approvers: "person:ana", on_reject: resume, rollback_to: half}}
"""
LOOP = f"""
    name: walk_all
    steps:
      - name: each
        type: for_each
        items: [a, b, c, d, e]
        at_once: 2
        steps:
          - {{name: ask, type: approval, title: "${{item}}?", action: "${{item}}", approvers: "person:ana"}}
          - {{name: done, {UNDONE}, args: ["${{item}}"]}}
    result: ${{steps.each}}
"""
SENT = """
    name: sent
    inputs: {url: string, note: {type: string, default: "hello"}}
    steps:
      - name: post
        type: http
        method: POST
        url: ${inputs.url}/charges
        headers: {Authorization: "Bearer ${secret.BANK}", X-Note: "${inputs.note}"}
        undo:
          method: DELETE
          url: ${inputs.url}/charges/{charge}
          headers: {Authorization: "Bearer ${secret.BANK}"}
          kind: booking
      - {name: ask, type: approval, title: "Keep it?", approvers: "person:ana"}
"""


@pytest.fixture
async def stage(database: Database, clock: ManualClock) -> Written:
    made = Written(database, clock)
    await made.prepare()
    return made


async def ended(stage: Written, run: RunId) -> str:
    return (await stage.picture(run)).row.status


@pytest.mark.parametrize(
    ("word", "status", "done"),
    [
        ("fail", "failed", ["first"]),
        ("rollback", "rolled_back", ["first", "undo first"]),
        ("{Broken: resume}", "completed", ["first", "breaks"]),
        ("{Other: resume, '*': rollback}", "rolled_back", ["first", "undo first"]),
    ],
)
async def test_what_follows_a_failure_is_as_it_says(
    stage: Written, word: str, status: str, done: list[str]
) -> None:
    FAIL["breaks"] = 1
    await stage.write(FRAGILE % word)

    run = await stage.begin("fragile_one")

    assert (await ended(stage, run), LEDGER) == (status, done)


async def test_it_goes_back_and_on_again_no_more_often_than_it_says(stage: Written) -> None:
    FAIL["breaks"] = 2
    await stage.write(FRAGILE % "resume")

    assert await ended(stage, await stage.begin("fragile_one")) == "failed"


async def test_a_rejection_goes_back_to_where_it_says_and_is_heard_there(stage: Written) -> None:
    await stage.write(ASKED)
    run = await stage.begin("asked_again")

    await stage.vote(run, "ana", "reject", comment="louder")

    assert LEDGER[:2] == ["first", "second null"]
    assert LEDGER[2] == "undo second null"
    assert "louder" in LEDGER[3]
    assert await ended(stage, run) == "waiting"


async def test_pauses_grow_as_it_says(stage: Written) -> None:
    FAIL["sluggish"] = 2
    retries = "{attempts: 3, first_delay: 1h, factor: 2, longest_delay: 2h}"
    await stage.write(
        f"name: sluggish\nsteps:\n  - {{name: a, {DEED}, args: [sluggish], retries: {retries}}}\n"
    )
    run = await stage.begin("sluggish")

    await stage.pass_time(timedelta(minutes=29))
    early = FAIL["sluggish"]
    await stage.pass_time(timedelta(hours=1))
    await stage.pass_time(timedelta(hours=2))

    assert (early, LEDGER) == (1, ["sluggish"])
    assert await ended(stage, run) == "completed"


async def test_a_loop_has_no_more_under_way_than_it_says(stage: Written) -> None:
    await stage.write(LOOP)
    run = await stage.begin("walk_all")
    asked: list[list[str]] = []

    while open_ones := [
        each for each in (await stage.picture(run)).approvals if each.status == "open"
    ]:
        asked.append(sorted(each.action for each in open_ones))
        ballot = cast_on(open_ones[0].id, "ana", "approve")
        await stage.database.write(partial(cast_it, ballot))
        await stage.worker().drain()

    assert max(len(each) for each in asked) == 2
    assert asked[0] == ["a", "b"]
    assert (await stage.picture(run)).row.result == ["a", "b", "c", "d", "e"]
    assert await stage.is_sound(run)


async def test_a_rejection_in_a_loop_undoes_every_turn(stage: Written) -> None:
    await stage.write(LOOP)
    run = await stage.begin("walk_all")
    await stage.vote(run, "ana")

    await stage.vote(run, "ana", "reject")

    assert await ended(stage, run) == "rolled_back"
    assert [LEDGER[0], f"undo {LEDGER[0]}"] == LEDGER
    assert await stage.is_sound(run)


@pytest.mark.parametrize("note", ["${secret.BANK}", "${secret"])
async def test_an_input_names_no_secret(stage: Written, note: str) -> None:
    await stage.write(
        SENT.replace("${inputs.note}", "${inputs.note}.BANK}").replace(".BANK}.BANK}", ".BANK}")
    )

    run = await stage.begin("sent", url="https://127.0.0.1", note=note)

    row: Any = (await stage.picture(run)).row
    assert (row.status, row.error["code"]) == ("failed", "bad_header")


async def test_a_request_and_its_undo_carry_the_secret_that_no_journal_has(stage: Written) -> None:
    stage.egress = Egress(allow_nets=[ip_network("127.0.0.0/8")])
    stage.secrets = Secrets({"BANK": Secret(value="sk_hush", hosts=("127.0.0.1",))})
    async with target() as there:
        await stage.write(SENT)
        run = await stage.begin("sent", url=there.url)
        plan = (await stage.picture(run)).plan
        await stage.vote(run, "ana", "reject")

    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )
    assert there.asked == ["POST /charges", "DELETE /charges/1"]
    assert [each["authorization"] for each in there.headers] == ["Bearer sk_hush"] * 2
    assert there.headers[0]["x-note"] == "hello"
    assert [undo.kind for undo in plan.undoes] == ["booking"]
    assert "sk_hush" not in str([entry.to_json() for entry in entries])


def cast_it(ballot: Ballot, tx: Transaction) -> None:
    votes.cast(tx, ballot)


def gone(tx: Transaction) -> int:
    return definitions.remove(tx, DEFAULT_TENANT, "walk_all", by="person:ana", reason="Not needed.")


async def test_a_definition_is_not_removed_under_a_run(stage: Written) -> None:
    await stage.write(LOOP)
    await stage.begin("walk_all")
    await stage.write("name: around\nsteps:\n  - {name: c, type: child, workflow: walk_all}\n")

    with pytest.raises(Conflict, match="around starts walk_all") as started:
        await stage.database.write(gone)
    await stage.database.write(
        lambda tx: definitions.remove(tx, DEFAULT_TENANT, "around", by="person:ana", reason="x")
    )
    with pytest.raises(Conflict, match="1 run goes by walk_all") as living:
        await stage.database.write(gone)

    assert {started.value.code, living.value.code} == {"definition_in_use"}


async def test_a_definition_that_is_removed_is_started_no_more_and_its_runs_stay(
    stage: Written,
) -> None:
    await stage.write(LOOP)
    run = await stage.begin("walk_all")
    await stage.vote(run, "ana", "reject")

    versions = await stage.database.write(gone)
    await stage.workflows.refresh(stage.database)

    assert versions == 1
    assert (stage.held or Held({})).names(DEFAULT_TENANT) == []
    assert await ended(stage, run) == "rolled_back"
    with pytest.raises(NotFound):
        await stage.database.write(gone)
