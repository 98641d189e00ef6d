"""Many at once: in order for each message, never one delivery twice, and nobody waits for a slow one."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.demo.faults import Drop, Fault, Hold, Status
from bot.demo.mail.trouble import Stage, Stall
from channels.dispatch import Flow
from engine.ids import ApprovalId
from tests.channels.office import ANA, BO, Office
from tests.channels.paper import Paper

pytestmark = pytest.mark.anyio

ONLY_ERP = {"webhook": ["erp"]}
PATIENCE = 20  # seconds of real time, for a machine that is busy


async def test_two_dispatchers_never_send_one_delivery_at_once(post_office: Office) -> None:
    for _ in range(12):
        await post_office.ask(routes={"email": ["approvers"], **ONLY_ERP})
    dispatchers = [post_office.dispatcher() for _ in range(4)]

    made = await asyncio.gather(*(dispatcher.drain() for dispatcher in dispatchers))

    assert sum(made) == 12 * 3
    assert len(post_office.hooks.attempts) == 12
    ids = [mail.message["Message-ID"] for mail in post_office.mail.mailbox.messages()]
    assert len(ids) == len(set(ids)) == 24


async def test_what_comes_later_waits_until_the_earlier_one_is_marked(post_office: Office) -> None:
    hold = Hold()
    post_office.hooks.trouble(hold)
    asked = await post_office.ask(routes=ONLY_ERP)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(post_office.dispatcher().drain())
        await hold.reached.wait()
        await post_office.vote(asked.id, ANA)

        meanwhile = await post_office.dispatcher().drain()
        hold.released.set()

    assert meanwhile == 0
    assert first.result() == 2
    types = [event.type for event in post_office.hooks.received()]
    assert types == ["approval.opened", "approval.updated"]


async def test_what_failed_keeps_its_place_before_what_follows(post_office: Office) -> None:
    post_office.hooks.trouble(Status(code=500), times=2)
    asked = await post_office.ask(routes=ONLY_ERP, quorum=1)
    dispatcher = post_office.dispatcher()
    await dispatcher.drain()
    await post_office.vote(asked.id, ANA)

    for _ in range(4):
        await dispatcher.drain()
        await post_office.clock.advance(timedelta(minutes=6))

    types = [event.type for event in post_office.hooks.received()]
    assert types == ["approval.opened", "approval.decided"]


async def test_through_storms_of_failures_every_event_arrives_once_and_in_order(
    post_office: Office,
) -> None:
    faults: list[Fault] = [Status(code=500), Drop(done=True), Status(code=429), Drop(done=False)]
    asked = [await post_office.ask(routes=ONLY_ERP) for _ in range(10)]
    dispatchers = [post_office.dispatcher() for _ in range(3)]
    for person in (ANA, BO):
        for fault in faults:
            post_office.hooks.trouble(fault)
        await asyncio.gather(*(dispatcher.drain() for dispatcher in dispatchers))
        await asyncio.gather(*(post_office.vote(each.id, person) for each in asked))

    while await post_office.deliveries(status="pending"):
        await asyncio.gather(*(dispatcher.drain() for dispatcher in dispatchers))
        await post_office.clock.advance(timedelta(minutes=6))

    seen: defaultdict[ApprovalId, list[str]] = defaultdict(list)
    for event in post_office.hooks.received():
        seen[ApprovalId(str(event.approval["id"]))].append(event.type)
    assert set(seen) == {each.id for each in asked}
    for types in seen.values():
        assert types[0] == "approval.opened"
        assert types[-1] == "approval.decided"
        assert len(types) == len(set(types))
    assert {row.status for row in await post_office.deliveries()} == {"sent"}


async def test_a_medium_that_hangs_holds_up_no_other(post_office: Office) -> None:
    hold = Hold()
    post_office.hooks.trouble(hold)
    dispatcher = post_office.dispatcher()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run())
        await post_office.ask(routes={"email": ["ana@example.com"], **ONLY_ERP})
        await hold.reached.wait()

        mail = await post_office.mail.mailbox.arrival("ana@example.com")

        dispatcher.stop()
        hold.released.set()
    assert "Refund order 17?" in mail.subject


async def test_what_is_being_sent_at_a_stop_is_finished_and_marked(post_office: Office) -> None:
    stall = Stall()
    post_office.mail.faults.add(Stage.DOT, stall)
    dispatcher = post_office.dispatcher()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        running = group.create_task(dispatcher.run())
        await post_office.ask(routes={"email": ["ana@example.com"]})
        await stall.reached.wait()

        dispatcher.stop()
        stall.released.set()
        await running

    [row] = await post_office.deliveries()
    assert row.status == "sent"


async def test_a_running_dispatcher_hears_of_new_work_and_of_what_follows(
    post_office: Office,
) -> None:
    dispatcher = post_office.dispatcher()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run())
        asked = await post_office.ask(routes=ONLY_ERP)
        await post_office.hooks.arrival("approval.opened")
        await post_office.vote(asked.id, ANA)
        await post_office.vote(asked.id, BO)

        event = await post_office.hooks.arrival("approval.decided")

        dispatcher.stop()
    assert event.approval["status"] == "approved"


async def test_one_address_gets_one_message_at_a_time_and_a_pause_between(
    post_office: Office,
) -> None:
    pause = timedelta(seconds=30)
    flows = {"webhook": Flow(pause=pause)}
    for _ in range(3):
        await post_office.ask(routes=ONLY_ERP)
    dispatcher = post_office.dispatcher(flows=flows)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run())
        for number in (1, 2, 3):
            await post_office.hooks.arrival(number=number)
            await _marked(post_office, number)
            await post_office.clock.advance(pause)
        dispatcher.stop()

    moments = [attempt.at for attempt in post_office.hooks.attempts]
    assert [later - earlier for earlier, later in pairwise(moments)] == [
        pause,
        pause,
    ]
    assert {row.attempts for row in await post_office.deliveries()} == {1}


async def test_an_address_that_wants_to_be_left_alone_is_left_alone(post_office: Office) -> None:
    post_office.hooks.trouble(Status(code=429, retry_after=3_600))
    dispatcher = post_office.dispatcher()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run())
        await post_office.ask(routes=ONLY_ERP)
        while (await post_office.deliveries())[0].error is None:
            await asyncio.to_thread(lambda: None)

        await post_office.ask(routes={"email": ["bo@example.com"], **ONLY_ERP})
        await post_office.mail.mailbox.arrival("bo@example.com")
        await post_office.clock.advance(timedelta(hours=1))
        await post_office.hooks.arrival(number=2)
        dispatcher.stop()

    first, *others = [attempt.at for attempt in post_office.hooks.attempts]
    assert all(other - first >= timedelta(hours=1) for other in others)


async def test_a_lane_waits_for_a_free_place(post_office: Office) -> None:
    paper = Paper()
    for _ in range(5):
        await post_office.ask(routes={"email": ["ana@example.com"]})
    flows = {"email": Flow(at_once=1)}
    dispatcher = post_office.dispatcher(channels={"email": paper}, flows=flows)

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run())
        while len(await post_office.deliveries(status="sent")) < 5:
            await _marked(post_office, len(paper.given))
        dispatcher.stop()

    assert [what for what, *_ in paper.given] == ["post"] * 5


async def _marked(post_office: Office, number: int) -> None:
    while len(await post_office.deliveries(status="sent")) < number:
        await asyncio.to_thread(lambda: None)
    # It can be read before whoever wrote it knows; who writes later is answered later.
    await post_office.database.write(lambda _tx: None)
