"""`@guarded`: plain functions that are done once, by whomever they are called."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI

from bot.demo.serving import served
from engine.clock import SystemClock
from engine.services.keys import Scope
from signoff import Client, NoEffect, Rejected, SignoffError, StepInfo
from signoff.asking import AskTerms
from signoff.guarding import Blocked, InDoubt, InProgress, guarded
from tests.api.desk import ANA, BO, Desk, Known

pytestmark = pytest.mark.anyio

Clients = Callable[[], Client]
PAUSE = timedelta(milliseconds=10)
APPROVAL: AskTerms = {"approvers": "group:finance", "ladder": ["reject after 4h"]}


@pytest.fixture
async def agent(app: FastAPI, desk: Desk) -> AsyncIterator[Clients]:
    key = await desk.key(Scope.RECEIPTS, Scope.APPROVALS_ASK, Scope.READ)
    async with served(app) as url:
        yield lambda: Client(url, key.token)


async def vote(by: Known, choice: str) -> None:
    """Vote on the approval that is open, once one is."""
    while not (found := (await by.get("/api/approvals?status=open")).json()["approvals"]):
        await SystemClock().sleep(PAUSE)
    ballot = {"choice": choice, "digest": found[0]["digest"], "comment": "Said."}
    voted = await by.post(f"/api/approvals/{found[0]['id']}/votes", ballot)
    assert voted.status_code == 200


async def outcome(call: Awaitable[str]) -> str | Rejected:
    """What a call returned, or that people said no."""
    try:
        return await call
    except Rejected as no:
        return no


@pytest.mark.parametrize(
    ("key", "hide"), [("{order}-{colour}", ()), ("{order.id}", ("session",)), ("{}", ())]
)
def test_what_is_no_parameter_is_refused_at_once(key: str, hide: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="has no parameter"):

        @guarded("refund", key, hide=hide)
        def refund(order: str) -> None: ...


def test_an_approval_that_changes_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match="as they are"):

        @guarded("refund", "{order}", approval={"approvers": "person:ana", "kind": "modify"})
        def refund(order: str) -> None: ...


async def test_arguments_that_are_no_json_are_refused_before_anything_is_claimed(
    agent: Clients,
) -> None:
    @guarded("refund", "order-17", client=agent)
    async def refund(order: object) -> str:
        return "done"

    with pytest.raises(TypeError, match="hide="):
        await refund(object())
    assert await refund("17") == "done"


async def test_the_same_key_with_other_arguments_is_refused(agent: Clients) -> None:
    @guarded("refund", "order-{order}", client=agent)
    async def refund(order: str, amount: str) -> str:
        return amount

    await refund("17", "62.00")

    with pytest.raises(SignoffError) as refused:
        await refund("17", "6200.00")
    assert refused.value.code == "request_id_conflict"


async def test_it_is_done_once_and_repeats_return_what_it_returned(agent: Clients) -> None:
    done: list[str] = []

    @guarded("refund", "order-{order}", client=agent, hide=["session"])
    async def refund(
        order: str, session: object, *, step: StepInfo | None = None
    ) -> dict[str, str]:
        done.append(step.request_id if step else "")
        return {"order": order}

    found = [await refund("17", object()) for _call in range(3)]

    assert found == [{"order": "17"}] * 3
    assert done == ["order-17"]


async def test_a_function_that_is_not_async_is_guarded_alike(agent: Clients) -> None:
    done: list[str] = []

    @guarded("refund", "order-{order}", client=agent)
    def refund(order: str, amount: str = "1.00") -> str:
        done.append(order)
        return amount

    in_threads = await asyncio.gather(*(asyncio.to_thread(refund, "17") for _call in range(4)))

    assert (in_threads, done) == (["1.00"] * 4, ["17"])


async def test_what_did_nothing_is_tried_again_and_what_may_have_is_not(agent: Clients) -> None:
    failing: list[Exception] = [ConnectionRefusedError("away"), NoEffect("no"), ValueError("half")]

    @guarded("refund", "order-{order}", client=agent, no_effect=(ConnectionRefusedError,))
    async def refund(order: str) -> str:
        raise failing.pop(0)

    for expected in (ConnectionRefusedError, NoEffect, ValueError):
        with pytest.raises(expected):
            await refund("17")
    with pytest.raises(InDoubt, match="half") as doubt:
        await refund("17")

    assert (doubt.value.receipt.state, failing) == ("unknown", [])


async def test_somebody_who_is_at_it_is_not_doubled(agent: Clients) -> None:
    @guarded("refund", "order-{order}", client=agent, wait=timedelta(0))
    async def refund(order: str, is_first: bool = True) -> str:
        with pytest.raises(InProgress):
            await refund(order)
        return "done"

    assert await refund("17") == "done"


async def test_people_are_asked_first_and_a_no_means_no(agent: Clients, desk: Desk) -> None:
    done: list[str] = []

    @guarded("refund", "order-{order}", client=agent, approval=APPROVAL)
    async def refund(order: str) -> str:
        done.append(order)
        return "done"

    for order, choice in (("17", "reject"), ("18", "approve")):
        async with asyncio.TaskGroup() as group:
            group.create_task(vote(await desk.person(ANA), choice))
            called = group.create_task(outcome(refund(order)))
        assert isinstance(called.result(), Rejected) is (choice == "reject")
    assert done == ["18"]


async def test_what_people_approved_otherwise_is_not_done(agent: Clients, desk: Desk) -> None:
    done: list[str] = []

    @guarded("refund", "order-{order}", client=agent, approval=APPROVAL)
    async def refund(order: str, amount: str) -> None:
        done.append(amount)

    async def less() -> None:
        path = "/api/approvals?status=open"
        while not (found := (await desk.local.get(path)).json()["approvals"]):
            await SystemClock().sleep(PAUSE)
        edit = {"details": {"order": "17", "amount": "1.00"}}
        assert (await desk.local.patch(f"/api/approvals/{found[0]['id']}", json=edit)).is_success
        await vote(await desk.person(ANA), "approve")

    async with asyncio.TaskGroup() as group:
        group.create_task(less())
        with pytest.raises(Blocked, match="another call"):
            await refund("17", "6200.00")
    assert done == []


async def test_without_its_approval_it_is_not_done(agent: Clients, desk: Desk) -> None:
    async with agent() as client:
        asked = await client.ask("Refund?", **APPROVAL)

    @guarded("refund", "order-{order}", client=agent, requires=asked.id)
    async def refund(order: str) -> str:
        return "done"

    with pytest.raises(Blocked):
        await refund("17")
    await vote(await desk.person(BO), "approve")
    assert await refund("17") == "done"
