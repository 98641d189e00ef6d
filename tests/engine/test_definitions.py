"""Written workflows run as those in code do: replayed, approved, undone, and pinned to their version."""

from ipaddress import ip_network

import pytest

from engine.errors import Invalid
from engine.http import Egress
from engine.ids import DEFAULT_TENANT, SystemIds
from engine.runtime.rehearsal import refusal
from engine.services import adopting
from engine.store.database import Database
from tests.clock import ManualClock
from tests.engine.flows import LEDGER
from tests.engine.targets import target
from tests.engine.written import Written

pytestmark = pytest.mark.anyio

CHARGE = """
    name: charge
    inputs:
      order: string
      amount: {type: money, default: "620.00 USD"}
    steps:
      - name: take
        type: task
        task: tests.engine.flows:deed
        with: {name: "charge ${inputs.order}"}
        undo: tests.engine.flows:undo
      - name: big
        type: condition
        if: money(inputs.amount) > money("500.00 USD")
        then:
          - name: ask
            type: approval
            title: Charge ${inputs.amount} for ${inputs.order}?
            approvers: group:finance
            details: {taken: "${steps.take}"}
      - name: ship
        type: task
        task: tests.engine.flows:deed
        args: ["ship ${inputs.order}"]
    result: {by: "${steps.big.by}", shipped: "${steps.ship}"}
"""


@pytest.fixture
async def stage(database: Database, clock: ManualClock) -> Written:
    made = Written(database, clock)
    await made.prepare()
    return made


async def test_a_rejection_undoes_what_was_done(stage: Written) -> None:
    await stage.write(CHARGE)
    run = await stage.begin("charge", order="17")

    await stage.vote(run, "ana", "reject")

    assert (await stage.picture(run)).row.status == "rolled_back"
    assert LEDGER == ["charge 17", "undo charge 17"]
    assert await stage.is_sound(run)


async def test_with_consent_it_goes_on_and_gives_its_result(stage: Written) -> None:
    await stage.write(CHARGE)
    run = await stage.begin("charge", order="17")

    await stage.vote(run, "ana")

    assert (await stage.picture(run)).row.result == {"by": ["ana"], "shipped": "ship 17"}
    assert LEDGER == ["charge 17", "ship 17"]


async def test_what_is_small_asks_nobody(stage: Written) -> None:
    await stage.write(CHARGE)

    run = await stage.begin("charge", order="17", amount="500.00 USD")

    picture = await stage.picture(run)
    assert (picture.row.status, picture.approvals) == ("completed", [])
    assert picture.row.result == {"by": None, "shipped": "ship 17"}


async def test_what_is_approved_is_the_call_itself(stage: Written) -> None:
    await stage.write(
        """
        name: pay
        steps:
          - name: transfer
            type: task
            task: tests.engine.flows:pay
            args: ["10.00"]
            requires_approval: before
            approval: {title: "Pay ten?", approvers: "group:finance", quorum: 2}
        """
    )
    run = await stage.begin("pay")
    opened = (await stage.picture(run)).approvals[0]

    await stage.vote(run, "ana")
    before = list(LEDGER)
    await stage.vote(run, "bo")

    assert opened.to_json()["call"] == {
        "name": "tests.engine.flows:pay",
        "arguments": {"args": ["10.00"], "kwargs": {}},
    }
    assert (before, LEDGER) == ([], ["pay 10.00"])


async def test_a_result_that_is_reviewed_and_rejected_is_undone(stage: Written) -> None:
    await stage.write(
        """
        name: draft
        steps:
          - name: write
            type: task
            task: tests.engine.flows:deed
            with: {name: letter}
            undo: tests.engine.flows:undo
            requires_approval: after
            approval: {approvers: "group:leads"}
        """
    )
    run = await stage.begin("draft")
    shown = (await stage.picture(run)).approvals[0].to_json()

    await stage.vote(run, "dana", "reject")

    assert (shown["title"], shown["details"]) == ("write?", {"result": "letter"})
    assert LEDGER == ["letter", "undo letter"]


async def test_a_loop_goes_through_its_items_in_order(stage: Written) -> None:
    told = await stage.told(
        """
        name: each
        inputs: {orders: array}
        steps:
          - name: all
            type: for_each
            items: ${inputs.orders}
            as: order
            steps:
              - name: ship
                type: task
                when: order.amount < 100
                task: tests.engine.flows:deed
                args: ["${index} ${order.id}"]
        """,
        orders=[{"id": "a", "amount": 5}, {"id": "b", "amount": 500}, {"id": "c", "amount": 7.5}],
    )

    assert told == ["0 a", None, "2 c"]
    assert LEDGER == ["0 a", "2 c"]


async def test_checkpoints_keep_the_results_so_far(stage: Written) -> None:
    await stage.write(
        """
        name: noted
        steps:
          - {name: work, type: task, task: "tests.engine.flows:deed", args: [w], create_checkpoint: true}
          - {name: ready, type: checkpoint, state: {done: "${steps.work}"}}
        """
    )

    run = await stage.begin("noted")

    picture = await stage.picture(run)
    assert [each["name"] for each in picture.checkpoints] == ["work", "ready"]


NOTICE = """
{
  "name": "notice",
  "description": "Writes a notice and has it agreed to",
  "steps": [
    {"name": "draft", "type": "task", "task": "tests.engine.flows:deed", "description": "Write it",
     "with": {"name": "draft for ${inputs.place}"}, "create_checkpoint": true,
     "requires_approval": "before",
     "approval": {"title": "Write the notice?", "kind": "binary", "approvers": "person:bo"}},
    {"name": "publish", "type": "approval", "title": "Publish the notice?", "action": "publish",
     "kind": "modify", "fields": ["place"], "approvers": ["group:finance"], "quorum": 1,
     "details": {"place": "${inputs.place}", "text": "${steps.draft}"}},
    {"name": "ready", "type": "checkpoint", "state": {"place": "${inputs.place}"}}
  ],
  "inputs": {"place": "string"},
  "result": {"outcome": "${steps.publish.outcome}", "changes": "${steps.publish.changes}"}
}
"""


async def test_a_definition_in_json_asks_what_each_of_its_steps_says(stage: Written) -> None:
    await stage.write(NOTICE)
    run = await stage.begin("notice", place="door")
    before = list(LEDGER)

    await stage.vote(run, "bo")
    waiting = await stage.picture(run)
    await stage.vote(run, "ana", changes={"place": "hall"})

    drafted, published = [each.to_json() for each in waiting.approvals]
    assert (before, LEDGER) == ([], ["draft for door"])
    assert [drafted[key] for key in ("title", "approvers")] == ["Write the notice?", ["person:bo"]]
    assert (published["title"], published["action"]) == ("Publish the notice?", "publish")
    assert published["approvers"] == ["group:finance"]
    assert published["details"] == {"place": "door", "text": "draft for door"}
    assert published["proposed"] == {"place": "door"}  # what may be changed of it
    picture = await stage.picture(run)
    assert picture.row.result == {"outcome": "approved", "changes": {"place": "hall"}}
    assert [each["name"] for each in picture.checkpoints] == ["draft", "ready"]


@pytest.mark.parametrize("kind", ["poll", "Form"])
async def test_a_kind_of_approval_that_nobody_understands_is_refused(
    stage: Written, kind: str
) -> None:
    with pytest.raises(Invalid, match=r"line .*'binary', 'form', 'budget' or 'modify'"):
        await stage.write(NOTICE.replace('"binary"', f'"{kind}"'))


async def test_a_waiting_run_keeps_the_version_it_began_with(stage: Written) -> None:
    old = await stage.write(CHARGE)
    run = await stage.begin("charge", order="1")
    new = await stage.write(CHARGE.replace("ship ${inputs.order}", "send ${inputs.order}"))

    await stage.vote(run, "ana")
    later = await stage.begin("charge", order="2", amount="1 USD")

    assert old != new
    assert [(await stage.picture(each)).row.version for each in (run, later)] == [old, new]
    assert LEDGER == ["charge 1", "ship 1", "charge 2", "send 2"]


async def test_how_it_is_written_makes_no_new_version(stage: Written) -> None:
    first = await stage.write("name: a\nsteps:\n  - {name: s, type: checkpoint}\n")

    again = await stage.write('{"steps": [{"type": "checkpoint", "name": "s"}], "name": "a"}')

    assert first == again


async def test_another_process_learns_of_it_by_itself(stage: Written) -> None:
    elsewhere = Written(stage.database, stage.clock)
    await stage.write(CHARGE)

    await elsewhere.workflows.follow("charge", stage.database)

    assert [pin for pin in elsewhere.workflows.pins if pin.startswith("charge@")]


async def test_steps_run_in_the_order_that_they_need(stage: Written) -> None:
    told = await stage.told(
        """
        name: graph
        steps:
          - {name: last, type: task, task: "tests.engine.flows:deed", args: [c], needs: [first, second]}
          - {name: second, type: task, task: "tests.engine.flows:deed", args: [b], needs: [first]}
          - {name: first, type: task, task: "tests.engine.flows:deed", args: [a]}
        """
    )

    assert (told, LEDGER) == ("c", ["a", "b", "c"])


async def test_one_rejected_branch_undoes_them_all(stage: Written) -> None:
    await stage.write(
        """
        name: sides
        steps:
          - name: both
            type: parallel
            branches:
              left:
                - {name: l, type: task, task: "tests.engine.flows:deed", args: [l], undo: "tests.engine.flows:undo"}
              right:
                - {name: r, type: task, task: "tests.engine.flows:deed", args: [r], undo: "tests.engine.flows:undo"}
                - {name: ok, type: approval, title: "Right?", approvers: "person:ana"}
        """
    )
    run = await stage.begin("sides")

    await stage.vote(run, "ana", "reject")

    assert (await stage.picture(run)).row.status == "rolled_back"
    assert sorted(LEDGER) == ["l", "r", "undo l", "undo r"]


async def test_what_is_not_there_fails_the_run_in_words(stage: Written) -> None:
    told = await stage.told(
        """
        name: missing
        steps:
          - {name: a, type: task, task: "tests.engine.flows:deed", args: [x]}
        result: ${steps.a.amount}
        """
    )

    assert told == "${steps.a.amount} names 'amount', which is not there."


async def test_a_changed_version_is_adopted_only_where_it_fits(stage: Written) -> None:
    await stage.write(CHARGE)
    run = await stage.begin("charge", order="1")
    fits = await stage.write(CHARGE.replace("ship ${inputs.order}", "send ${inputs.order}"))
    strays = await stage.write(
        CHARGE.replace("name: take", "name: grab").replace("s.take", "s.grab")
    )
    found = await stage.database.read(lambda tx: adopting.candidate(tx, DEFAULT_TENANT, run))

    answers = [
        await refusal(
            stage.workflows.pinned("charge", version),
            found.run,
            found.entries,
            stage.clock,
            SystemIds(),
        )
        for version in (fits, strays)
    ]

    assert answers[0] is None
    assert "'take'" in str(answers[1])


async def test_a_request_carries_its_request_id_and_gives_its_answer(stage: Written) -> None:
    stage.egress = Egress(allow_nets=[ip_network("127.0.0.0/8")])
    async with target() as there:
        told = await stage.told(
            """
            name: post
            inputs: {url: string}
            steps:
              - {name: send, type: http, method: POST, url: "${inputs.url}", body: {b: 2, a: 1}}
            result: ${steps.send.status}
            """,
            url=there.url,
        )

    assert (told, there.bodies) == (200, [b'{"a":1,"b":2}'])
    assert len(there.keys) == 1


async def test_a_child_runs_by_itself_and_gives_its_result(stage: Written) -> None:
    await stage.write(
        "name: inner\ninputs: {x: string}\nsteps:\n  - {name: c, type: checkpoint}\nresult: got ${inputs.x}\n"
    )

    told = await stage.told(
        """
        name: outer
        steps:
          - {name: kid, type: child, workflow: inner, input: {x: seven}}
        result: ${steps.kid}
        """
    )

    assert told == "got seven"
