"""Whatever fails around foreign code, an HTTP step or an anchor's place, the end is the same."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import pytest

from bot.anchoring.rounds import Anchoring
from bot.anchoring.sinks import FileSink, Sink, SyslogSink, WebhookSink
from bot.demo.hooks.standin import HooksStandIn
from bot.demo.serving import served
from engine.failpoints import Mode
from engine.http import Egress
from engine.ids import DEFAULT_TENANT, SystemIds
from engine.rules.states import RunStatus
from engine.services import anchoring, votes
from engine.services.anchoring import Due
from engine.store.database import Database, Transaction
from tests.audit.ground import SIGNER
from tests.channels.webhook.conftest import NEW, target
from tests.clock import ManualClock
from tests.crossings import MODES, failing, started, survived
from tests.durability import notes
from tests.durability.scene import Scene
from tests.engine import effects
from tests.engine.stage import Stage
from tests.engine.targets import target as charged

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

RUNS: Final = ("step", "undo", "probe", "http")
PLACES: Final = ("anchor.file", "anchor.syslog", "anchor.webhook")
CROSSED: Final = (*RUNS, *PLACES)
LOOPBACK: Final = Egress(allow_nets=[ip_network("127.0.0.0/8")])
LEASE: Final = timedelta(seconds=31)


async def driven(stage: Stage) -> None:
    """Whoever drives next; what the last one held is free by now."""
    for _life in range(4):
        await survived(stage.worker().drain(), stage.clock)
        await stage.clock.advance(LEASE)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["step", "undo"])
async def test_a_failure_around_a_step_or_its_undo_ends_well(
    scene: Scene, clock: ManualClock, boundary: str, mode: Mode
) -> None:
    run, stage = await scene.start("shaky_nap"), Stage(scene.database, clock)
    if boundary == "undo":
        run = await scene.start("shaky_deploy")
        await driven(stage)
        await scene.vote((await scene.picture(run)).approvals[-1].id, "dana", "reject")

    with failing(f"{boundary}={mode}:50ms", clock) as fault:
        await driven(stage)

    assert fault.seen > 0
    done = [each.name for each in notes.effects(scene.folder) if each.place[0] == run]
    # What cannot say that it did nothing is not tried again by itself, unless its author says so.
    is_failed = boundary == "step" and mode in {Mode.BROKEN, Mode.LOST}
    wanted = RunStatus.ROLLED_BACK if boundary == "undo" else RunStatus.COMPLETED
    assert (await scene.picture(run)).row.status is (RunStatus.FAILED if is_failed else wanted)
    names = ["migrate", "deploy", "undo deploy", "undo migrate"] if boundary == "undo" else ["wake"]
    assert list(dict.fromkeys(done)) == ([] if is_failed and mode is Mode.BROKEN else names)
    assert len(done) <= len(names) + 1


def _there() -> object:
    """The probe answers truly."""
    return effects.there() if effects.SENT else effects.not_there()


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_around_a_probe_leaves_the_effect_done_once(
    database: Database, clock: ManualClock, mode: Mode
) -> None:
    stage = Stage(database, clock)
    await stage.prepare()
    effects.prepare()
    effects.PROBES[:] = [_there] * 4

    with failing(f"step=lost,probe={mode}:50ms", clock) as fault:
        run = await started(stage, "launch", probes=True)
        await driven(stage)

    assert fault.seen > 0
    row = (await stage.picture(run)).row
    # A probe that failed says nothing: then people must look.
    is_unclear = mode in {Mode.BROKEN, Mode.LOST}
    assert row.status is (RunStatus.WAITING if is_unclear else RunStatus.COMPLETED)
    assert len(effects.SENT) == 1


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_around_a_request_repeats_it_under_the_same_id(
    database: Database, clock: ManualClock, mode: Mode
) -> None:
    stage = Stage(database, clock, egress=LOOPBACK)
    await stage.prepare()

    async with charged() as target:
        with failing(f"http={mode}:50ms", clock) as fault:
            run = await started(stage, "charging", url=target.url, retries=3)
            await driven(stage)

    assert fault.seen > 0
    assert (await stage.picture(run)).row.status is RunStatus.COMPLETED
    assert set(target.keys) == {f"{run}:0"}
    assert len(target.keys) == (2 if mode in {Mode.LOST, Mode.CRASH_AFTER} else 1)


@dataclass
class Place:
    """Somewhere outside that keeps anchors, and what has arrived there."""

    sink: Sink
    lines: Callable[[], list[str]]


@asynccontextmanager
async def place(name: str, folder: Path, clock: ManualClock) -> AsyncGenerator[Place]:
    """A file, a syslog server or an endpoint, all real."""
    path = folder / "anchors"
    if name == "anchor.file":
        yield Place(FileSink(path), lambda: path.read_text().splitlines())
    elif name == "anchor.webhook":
        hooks = HooksStandIn([NEW], clock=clock, ids=SystemIds())
        async with served(hooks.app) as url:
            hooks.at(url)
            sink = WebhookSink(target(hooks.url), LOOPBACK, clock)
            yield Place(sink, lambda: [each.id for each in hooks.received()])
    else:
        heard: list[str] = []

        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append((await reader.read()).decode().partition(" ")[2])
            writer.close()

        async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield Place(SyslogSink(f"tcp://127.0.0.1:{port}"), lambda: heard)


def _turned_away(who: str, tx: Transaction) -> None:
    votes.refused(tx, DEFAULT_TENANT, what="a vote", who=who, why="a stranger", channel="web")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PLACES)
async def test_a_failure_around_a_place_of_anchors_keeps_all_in_order(
    database: Database, clock: ManualClock, tmp_path: Path, name: str, mode: Mode
) -> None:
    async with place(name, tmp_path, clock) as there:
        rounds = Anchoring(database, SIGNER, [there.sink], due=Due(), clock=clock)
        with failing(f"{name}={mode}:50ms", clock) as fault:
            for who in ("eve", "mallory"):
                await database.write(partial(_turned_away, who))
                await survived(rounds.anchor(DEFAULT_TENANT), clock)
        await rounds.look()

        assert fault.seen > 0
        assert await database.read(lambda tx: anchoring.unpublished(tx, DEFAULT_TENANT)) == []
        arrived = there.lines()
        assert len(dict.fromkeys(arrived)) == 2
        assert arrived == sorted(arrived, key=list(dict.fromkeys(arrived)).index)
        assert len(arrived) <= 3
