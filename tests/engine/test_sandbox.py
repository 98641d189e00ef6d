"""Runs in a sandbox: people are asked, and nothing is done, undone, spent or sent."""

import json
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import text

from engine.errors import Invalid
from engine.http import Egress
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.following import parse_followers
from engine.rules.sandboxes import is_marked, parse_sandbox
from engine.rules.wording import BadRule
from engine.runtime.once import receipts_in
from engine.services import approvals, budgets, changing, runs
from engine.services.approvals import Request
from engine.services.budgets import Wanted
from engine.services.changing import Edit
from engine.store.journal import Entry
from engine.store.runs import NewRun
from tests.engine import effects, spenders, thrifty
from tests.engine.flows import LEDGER
from tests.engine.stage import Stage
from tests.engine.targets import target
from tests.engine.test_editing import OPERATOR

pytestmark = pytest.mark.anyio


async def rehearsed(
    stage: Stage, workflow: str, answers: Mapping[str, object] | None = None, **given: object
) -> RunId:
    new = NewRun(
        id=RunId(SystemIds().new("run")),
        tenant=DEFAULT_TENANT,
        workflow=workflow,
        version="1",
        input=given,
        started_by="key:agent",
        notify=parse_followers("slack:#ops"),
        sandbox=answers or {},
    )
    await stage.database.write(lambda tx: runs.start(tx, new))
    await stage.worker().drain()
    return new.id


def paid(payload: object) -> None:
    LEDGER.append(f"paid {payload}")


async def journal(stage: Stage, run: RunId) -> list[Entry]:
    return await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )


@pytest.mark.parametrize("raw", ["yes", 1, ["charge"]])
def test_what_is_no_sandbox_is_refused(raw: object) -> None:
    with pytest.raises(BadRule) as refused:
        parse_sandbox(raw)

    assert refused.value.code == "bad_sandbox"


@pytest.mark.parametrize("title", ["[SANDBOX] Pay?", " [sandbox]Pay?", "\uff3bSandbox\uff3d Pay?"])
async def test_nothing_real_bears_the_mark(stage: Stage, title: str) -> None:
    request = Request(title=title, action="pay", approvers="person:ana")

    with pytest.raises(Invalid) as refused:
        await stage.database.write(
            lambda tx: approvals.ask(tx, DEFAULT_TENANT, request, started_by="key:a", owner=None)
        )

    assert refused.value.code == "bad_title"


async def test_people_are_asked_under_its_mark_and_no_step_is_done(stage: Stage) -> None:
    run = await rehearsed(stage, "deploy")
    waiting = await stage.picture(run)

    await stage.vote(run, "dana")

    done = [each for each in await journal(stage, run) if each.kind.startswith("step.")]
    assert waiting.approvals[0].title == "[SANDBOX] Keep the deployment?"
    assert (await stage.picture(run)).row.status == "completed"
    assert LEDGER == []
    assert len(done) == 7
    assert all(each.data["sandbox"] is True for each in done)
    assert await stage.is_sound(run)


async def test_an_edit_leaves_the_mark_where_it_is(stage: Stage) -> None:
    run = await rehearsed(stage, "deploy")
    approval, wanted = (await stage.picture(run)).approvals[0].id, Edit(title="Pay?")

    after = await stage.database.write(lambda tx: changing.edit(tx, OPERATOR, approval, wanted))

    assert (after.title, after.version) == ("[SANDBOX] Pay?", 2)


async def test_a_rejection_is_rehearsed_and_nothing_is_undone(stage: Stage) -> None:
    run = await rehearsed(stage, "deploy")

    await stage.vote(run, "dana", "reject", comment="not on a Friday")

    entries, picture = await journal(stage, run), await stage.picture(run)
    undone = [each for each in entries if each.kind == "compensation.finished"]
    assert picture.row.status == "rolled_back"
    assert picture.approvals[0].report == (
        "Went back to the start, as a rehearsal: 3 of 3 would have been undone.",
        *(f"{step}: would have been undone" for step in ("smoke", "deploy", "migrate")),
    )
    assert picture.rollbacks[-1].cleanup[-1] == "would have been undone: migrate"
    assert [each.name for each in undone] == ["smoke", "deploy", "migrate"]
    assert all(each.data["sandbox"] is True for each in undone)
    assert LEDGER == []
    assert await stage.is_sound(run)


@pytest.mark.parametrize("cheat", [False, True])
async def test_a_step_returns_what_was_given_for_it_and_needs_its_consent(
    stage: Stage, cheat: bool
) -> None:
    run = await rehearsed(stage, "paid-refund", {"pay": "paid"}, cheat=cheat)

    await stage.vote(run, "ana")
    await stage.vote(run, "bo")

    row = (await stage.picture(run)).row
    assert (row.result, row.status) == ((None, "failed") if cheat else ("paid", "completed"))
    assert (row.error or {}).get("code") == ("digest_mismatch" if cheat else None)
    assert LEDGER == []


@pytest.mark.parametrize("answer", [None, {"number": "many", "what": "rocket"}])
async def test_a_step_whose_type_has_no_answer_fails_in_words(stage: Stage, answer: Any) -> None:
    effects.prepare()

    run = await rehearsed(stage, "launch", answer and {"fire": answer}, probes=True)

    row = (await stage.picture(run)).row
    assert row.status == "failed"
    assert "sandbox" in str((row.error or {})["message"])
    assert effects.SENT == []


async def test_an_irreversible_step_is_answered_and_its_target_not_asked(stage: Stage) -> None:
    effects.prepare()

    run = await rehearsed(stage, "launch", {"fire": {"number": 3, "what": "toy"}}, probes=True)

    assert (await stage.picture(run)).row.result == {"number": 3, "what": "toy"}
    assert effects.SENT == []


async def test_no_request_is_sent_nor_taken_back(stage: Stage) -> None:
    stage.egress = Egress(allow_nets=[ip_network("127.0.0.0/8")])
    async with target() as there:
        run = await rehearsed(stage, "undone_by_request", url=there.url)
        await stage.vote(run, "ana", "reject", comment="No.")

        assert (await stage.picture(run)).row.status == "rolled_back"
        assert there.asked == []


async def test_nothing_is_spent(stage: Stage) -> None:
    wanted = Wanted(limit={"usd": "0.10", "steps": 1})
    made = await stage.database.write(
        lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="person:ana")
    )

    run = await rehearsed(stage, "loop", steps=5)

    found: Any = await stage.database.read(
        lambda tx: budgets.show(tx, DEFAULT_TENANT, str(made["id"]))
    )
    told: Any = (await stage.picture(run)).to_json()
    assert [each["percent"] for each in found["usage"]] == [0, 0]
    assert (told["status"], told["summary"]["cost"], told["sandbox"]) == ("completed", None, True)
    assert spenders.TILL == []
    real = await stage.start("loop", steps=1)
    assert (await stage.picture(real)).row.status == "completed"


async def test_it_neither_takes_results_of_others_nor_leaves_them_any(stage: Stage) -> None:
    thrifty.ASKED.clear()
    made_up = {"ask 0": "made up"}

    await rehearsed(stage, "thrifty", made_up, question="bees")
    real = await stage.start("thrifty", question="bees")
    after = await rehearsed(stage, "thrifty", made_up, question="bees")

    assert (await stage.picture(real)).row.result == [{"answer": "BEES"}]
    assert (await stage.picture(after)).row.result == ["made up"]
    assert thrifty.ASKED == ["bees"]


async def test_what_it_starts_is_in_it_too(stage: Stage) -> None:
    run = await rehearsed(stage, "estate", steps=2)

    kept = await stage.database.read(
        lambda tx: tx.connection.execute(text("SELECT sandbox FROM runs")).scalars().all()
    )
    assert ((await stage.picture(run)).row.status, spenders.TILL) == ("completed", [])
    assert kept == ["{}"] * 3


async def test_its_consent_allows_no_effect_elsewhere(stage: Stage) -> None:
    run = await rehearsed(stage, "paid-refund")
    await stage.vote(run, "ana")
    await stage.vote(run, "bo")
    approval = (await stage.picture(run)).approvals[0]
    ledger = receipts_in(stage.database, DEFAULT_TENANT, by="worker:w")

    blocked = await ledger.once("17", "pay", {"amount": "10.00"}, paid, requires=approval.id)

    assert (blocked.reason, approval.status, LEDGER) == ("blocked:sandbox", "approved", [])


async def test_it_never_becomes_a_real_one(stage: Stage) -> None:
    run = await rehearsed(stage, "deploy")
    await stage.database.write(
        lambda tx: tx.connection.execute(text("UPDATE runs SET sandbox = NULL"))
    )

    await stage.vote(run, "dana")

    assert LEDGER == []
    assert not await stage.is_sound(run)


async def test_who_follows_it_is_told_what_it_is(stage: Stage) -> None:
    await rehearsed(stage, "deploy")

    told = await stage.database.read(
        lambda tx: tx.connection.execute(text("SELECT payload FROM outbox")).scalars().all()
    )
    assert [is_marked(json.loads(each)["title"]) for each in told] == [True]
