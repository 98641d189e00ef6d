"""Anchors by themselves: when they are due, and that each reaches every place outside."""

import asyncio
import json
import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.anchoring.rounds import Anchoring
from bot.anchoring.sinks import FileSink, SyslogSink
from engine.ids import DEFAULT_TENANT
from engine.services import anchoring, auditing
from engine.services.anchoring import Due
from engine.store.anchors import Anchor
from engine.store.database import Database
from tests.audit.ground import SIGNER
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

DUE = Due(entries=5, every=timedelta(minutes=5))


class Broken:
    """A place that keeps nothing, until it is mended."""

    def __init__(self) -> None:
        self.is_mended, self.kept = False, list[int]()

    async def keep(self, anchor: Anchor) -> None:
        if not self.is_mended:
            raise OSError("no space left on device")
        self.kept.append(anchor.number)


@pytest.fixture
async def stage(database: Database, clock: ManualClock) -> Stage:
    made = Stage(database, clock)
    await made.prepare()
    return made


async def test_an_anchor_is_due_by_entries_and_by_time(stage: Stage) -> None:
    rounds = Anchoring(stage.database, SIGNER, (), due=DUE, clock=stage.clock)
    made: list[int] = []
    for runs, minutes in ((1, 1), (0, 0), (1, 0), (1, 6), (0, 0)):
        for _run in range(runs):
            await stage.start("deploy")
        await rounds.look()
        made.append(len(await anchors(stage)))
        await stage.clock.advance(timedelta(minutes=minutes))

    # The first look anchors; one run is too little, two are enough; time alone has nothing to anchor.
    assert made == [1, 1, 1, 2, 2]


async def test_of_several_who_anchor_at_once_one_does(stage: Stage) -> None:
    await stage.start("deploy")

    made = await asyncio.gather(
        *(anchoring.anchor_all(stage.database, DEFAULT_TENANT, SIGNER) for _ in range(4))
    )

    assert sorted(map(len, made)) == [0, 0, 0, 1]
    assert len(await anchors(stage)) == 1


async def test_what_could_not_be_kept_is_kept_later_and_in_order(
    stage: Stage, tmp_path: Path
) -> None:
    broken, path = Broken(), tmp_path / "anchors"
    rounds = Anchoring(stage.database, SIGNER, (broken, FileSink(path)), due=DUE, clock=stage.clock)
    for _anchor in range(2):
        await stage.start("deploy")
        await rounds.anchor(DEFAULT_TENANT)
    before = path.exists()

    broken.is_mended = True
    await rounds.look()

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert (before, broken.kept) == (False, [1, 2])
    assert [line["statement"]["number"] for line in lines] == [1, 2]
    assert path.stat().st_mode & 0o077 == 0


async def test_a_clock_that_jumps_leaves_nothing_without_an_anchor(stage: Stage) -> None:
    rounds = Anchoring(stage.database, SIGNER, (), due=DUE, clock=stage.clock)
    for jump in (timedelta(days=30), timedelta(days=-60), timedelta(hours=1)):
        await stage.clock.advance(jump)
        await stage.start("deploy")
        await rounds.look()

    report = await auditing.verify(stage.database, DEFAULT_TENANT, trusted=[SIGNER.public])
    assert (report.findings, report.open_chains) == ([], 0)


async def test_syslog_is_told_over_udp_and_tcp(stage: Stage) -> None:
    await stage.start("deploy")
    (anchor,) = await anchoring.anchor_all(stage.database, DEFAULT_TENANT, SIGNER)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(30)
        await SyslogSink(f"udp://127.0.0.1:{udp.getsockname()[1]}").keep(anchor)
        told = udp.recv(65_000)
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await SyslogSink(f"tcp://127.0.0.1:{port}").keep(anchor)
        framed = await asyncio.wait_for(heard, 30)

    assert told.startswith(b"<109>1 ")
    assert told.endswith(anchor.line().encode())
    assert framed == b"%d %b" % (len(told), told)


async def anchors(stage: Stage) -> list[Anchor]:
    return await stage.database.read(
        lambda tx: anchoring.listing(tx, DEFAULT_TENANT, after=0, limit=100)
    )
