"""The stream of what changes: who may hear it, what it says, and how it goes on after a cut."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from bot.application import Application
from bot.demo.serving import served
from bot.web.app import create_app
from bot.web.streams import Bounds, Streams
from engine.ids import RunId, TenantId
from engine.services import runs
from engine.services.keys import Scope
from engine.store.runs import NewRun
from tests.api.desk import ANA, ASKED, BO, Desk, Known, code
from tests.api.listening import Heard, listening
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(app: FastAPI) -> AsyncGenerator[str]:
    async with served(app) as url:
        yield url
        app.state.shared.streams.close()


async def asked(desk: Desk) -> dict[str, Any]:
    key = await desk.key()
    made: dict[str, Any] = (await key.post("/api/approvals", ASKED)).json()
    return made


async def voted(by: Known, approval: dict[str, Any]) -> None:
    answer = await by.post(
        f"/api/approvals/{approval['id']}/votes", {"choice": "approve", "version": 1}
    )
    assert answer.status_code == 200


def bounded(app: FastAPI, application: Application, bounds: Bounds) -> None:
    streams = Streams(application.database, bounds)
    app.state.shared = dataclasses.replace(app.state.shared, streams=streams)


def types(heard: list[Heard]) -> list[str]:
    return [each.type for each in heard]


async def test_a_key_without_the_scope_hears_nothing(desk: Desk) -> None:
    key = await desk.key(Scope.APPROVALS_ASK)

    assert code(await key.get("/api/events")) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("run=run_none", (404, "not_found")),
        ("approval=apr_none", (404, "not_found")),
        ("run=run_1&approval=apr_1", (422, "bad_filter")),
    ],
)
async def test_what_is_not_there_cannot_be_watched(
    desk: Desk, query: str, refusal: tuple[int, str]
) -> None:
    key = await desk.key()

    assert code(await key.get(f"/api/events?{query}")) == refusal


async def test_one_caller_gets_so_many_streams_and_others_theirs(desk: Desk, url: str) -> None:
    greedy, modest = await desk.key(Scope.READ), await desk.key(Scope.READ)
    async with AsyncExitStack() as stack:
        held = [
            await stack.enter_async_context(listening(url, greedy.token))
            for _ in range(Bounds().each)
        ]
        assert {(await stream.next()).type for stream in held} == {"ready"}

        refused = await greedy.get("/api/events")

        assert code(refused) == (429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        other = await stack.enter_async_context(listening(url, modest.token))
        assert (await other.next()).type == "ready"


async def test_a_vote_is_heard_by_everybody_who_listens(desk: Desk, url: str) -> None:
    ana, bo = await desk.person(ANA), await desk.person(BO)
    approval = await asked(desk)
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(listening(url, ana.token, **query))
            for query in ({}, {"run": approval["run"]}, {"approval": approval["id"]})
        ]
        for stream in streams:
            assert (await stream.next()).type == "ready"

        await voted(ana, approval)
        await voted(bo, approval)

        heard = [await stream.until("approval.decided") for stream in streams]
    assert [types(each) for each in heard] == [
        ["approval.updated", "approval.updated", "approval.decided"]
    ] * 3
    assert len({tuple(event.id for event in each) for each in heard}) == 1
    assert heard[0][0].data["data"]["approval"] == approval["id"]


async def test_a_hundred_streams_hear_the_same(desk: Desk, app: FastAPI, url: str) -> None:
    people = [await desk.key(Scope.READ) for _ in range(4)]
    ana, approval = await desk.person(ANA), await asked(desk)
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(listening(url, people[number % 4].token))
            for number in range(100)
        ]
        for stream in streams:
            await stream.next()

        await voted(ana, approval)

        heard = [(await stream.next()).id for stream in streams]
        assert app.state.shared.streams.count == 100
    assert len(set(heard)) == 1
    assert None not in heard


async def test_what_was_missed_during_a_cut_is_told(desk: Desk, url: str) -> None:
    ana, bo, approval = await desk.person(ANA), await desk.person(BO), await asked(desk)
    queries: list[dict[str, str]] = [{}, {"run": approval["run"]}, {"approval": approval["id"]}]
    last: list[str | None] = []
    for query in queries:
        async with listening(url, ana.token, **query) as stream:
            await stream.next()
            last.append(stream.last_id)
    await voted(ana, approval)
    await voted(bo, approval)

    again: list[list[Heard]] = []
    for query, id in zip(queries, last, strict=True):
        async with listening(url, ana.token, last=id, **query) as stream:
            again.append(await stream.until("approval.decided"))

    assert [each[0].name for each in again] == ["ready"] * 3
    of_tenant, of_run, of_approval = (types(each[1:]) for each in again)
    told = ["approval.updated", "approval.updated", "approval.decided"]
    assert of_tenant[-3:] == of_run == of_approval == told


async def test_an_id_is_the_same_after_a_cut_and_its_event_is_not_told_twice(
    desk: Desk, url: str
) -> None:
    ana, bo, approval = await desk.person(ANA), await desk.person(BO), await asked(desk)
    async with listening(url, ana.token, run=approval["run"]) as stream:
        await stream.next()
        await voted(ana, approval)
        first = await stream.next()
    await voted(bo, approval)

    async with listening(url, ana.token, run=approval["run"], last=first.id) as stream:
        rest = await stream.until("approval.decided")

    assert types(rest) == ["ready", "approval.updated", "approval.decided"]
    assert first.id not in {each.id for each in rest}


@pytest.mark.parametrize("last", ["nonsense", "1", "9" * 17, "1.run_1.1"])
async def test_what_cannot_be_gone_on_from_is_reset(desk: Desk, url: str, last: str) -> None:
    ana, approval = await desk.person(ANA), await asked(desk)

    async with listening(url, ana.token, last=last) as stream:
        first = await stream.next()
        await voted(ana, approval)
        following = await stream.until("approval.updated")

    assert (first.name, first.type) == ("reset", "reset")
    assert types(following) == ["approval.updated"]


async def test_what_comes_to_light_after_something_younger_is_told_all_the_same(
    desk: Desk, url: str, clock: ManualClock
) -> None:
    ana, bo, approval = await desk.person(ANA), await desk.person(BO), await asked(desk)
    async with listening(url, ana.token) as stream:
        await stream.next()
        await voted(ana, approval)
        younger = await stream.until("approval.updated")

        await clock.advance(timedelta(seconds=-5))
        await voted(bo, approval)

        older = await stream.until("approval.decided")
    assert types(older) == ["approval.updated", "approval.decided"]
    assert str(older[0].id) < str(younger[-1].id)


async def test_a_clock_that_was_set_back_is_told_of(
    desk: Desk, url: str, clock: ManualClock
) -> None:
    watcher, operator = await desk.key(Scope.READ), await desk.key()
    async with listening(url, watcher.token) as stream:
        await stream.next()
        await clock.advance(timedelta(hours=-2))

        await operator.post("/api/approvals", ASKED)

        assert [each.name for each in await stream.ended()] == ["dropped"]
    async with listening(url, watcher.token, last=stream.last_id) as again:
        assert (await again.next()).name == "reset"


async def test_the_id_of_another_run_is_reset(desk: Desk, url: str) -> None:
    ana, one, other = await desk.person(ANA), await asked(desk), await asked(desk)
    async with listening(url, ana.token, run=other["run"]) as stream:
        last = (await stream.next()).id

    async with listening(url, ana.token, run=one["run"], last=last) as stream:
        assert (await stream.next()).name == "reset"


async def test_nothing_of_another_tenant_is_heard(desk: Desk, url: str) -> None:
    elsewhere = TenantId("elsewhere")
    approval = await asked(desk)
    watcher = await desk.key(Scope.READ)
    ana = await desk.person(ANA)
    new = NewRun(
        id=RunId("run_other"), tenant=elsewhere, workflow="tests.pay", version="1", input={},
        started_by="local",
    )  # fmt: skip
    async with listening(url, watcher.token) as stream:
        await stream.next()

        await desk.application.database.write(lambda tx: runs.start(tx, new))
        await voted(ana, approval)

        assert types(await stream.until("approval.updated")) == ["approval.updated"]
    assert code(await watcher.get("/api/events?run=run_other")) == (404, "not_found")


async def test_a_reader_who_takes_nothing_is_let_go_with_a_word(
    desk: Desk, application: Application
) -> None:
    app = create_app(application)
    bounded(app, application, Bounds(kept=3))
    ana = await desk.key(Scope.READ)
    reader = _Slow(ana.token)
    async with asyncio.TaskGroup() as group:
        answered = group.create_task(app(reader.scope, reader.receive, reader.send))
        await reader.until("ready")
        reader.is_taking.clear()
        for _ in range(2):  # the first is held in the reader's hands, the others are too many
            for _ in range(5):
                await asked(desk)
            await reader.is_offered.wait()
        reader.is_taking.set()
        await answered

    assert "event: dropped" in reader.said
    assert "More happened than you took." in reader.said


async def test_the_stream_of_a_key_that_is_revoked_ends(
    desk: Desk, app: FastAPI, application: Application, url: str
) -> None:
    bounded(app, application, Bounds(quiet=timedelta(0)))
    operator, key, ana = await desk.key(), await desk.key(Scope.READ), await desk.person(ANA)
    async with listening(url, key.token) as stream:
        await stream.next()

        await operator.send("DELETE", f"/api/keys/key_{key.token[3:].partition('_')[0]}")
        await voted(ana, await asked(desk))

        assert "dropped" in types(await stream.ended())


async def test_streams_end_with_a_word_when_the_process_stops(
    desk: Desk, app: FastAPI, url: str
) -> None:
    key = await desk.key(Scope.READ)
    async with listening(url, key.token) as stream:
        await stream.next()

        app.state.shared.streams.close()

        assert [each.name for each in await stream.ended()] == ["dropped"]
    async with listening(url, key.token, last=stream.last_id) as too_late:
        assert [each.name for each in await too_late.ended()] == ["ready", "dropped"]


class _Slow:
    """A reader at the other end of one request, who takes what is offered when told to."""

    def __init__(self, token: str) -> None:
        self.scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": "GET",
            "http_version": "1.1", "scheme": "http", "path": "/api/events", "raw_path": b"/api/events",
            "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())],
        }  # fmt: skip
        self.said, self.is_taking, self.is_offered = "", asyncio.Event(), asyncio.Event()
        self._changed = asyncio.Condition()
        self.is_taking.set()

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(self, message: Any) -> None:
        self.is_offered.set()
        await self.is_taking.wait()
        async with self._changed:
            self.said += message.get("body", b"").decode()
            self._changed.notify_all()

    async def until(self, word: str) -> None:
        async with self._changed, asyncio.timeout(60):
            await self._changed.wait_for(lambda: word in self.said)
