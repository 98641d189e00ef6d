"""Whatever fails around foreign code, an HTTP step or an anchor's place, the end is the same."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
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
from engine.services import anchoring, tending
from engine.services.anchoring import Due
from engine.store.database import Database
from tests.audit.ground import SIGNER
from tests.channels.webhook.conftest import NEW, target
from tests.clock import ManualClock
from tests.crossings import MODES, failing, survived
from tests.durability import notes
from tests.durability.scene import Scene
from tests.engine import effects
from tests.engine.stage import Stage
from tests.engine.targets import target as charged

pytestmark = pytest.mark.anyio

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
async def test_a_failure_around_a_step_or_its_undo_does_both_in_the_end(
    scene: Scene, clock: ManualClock, boundary: str, mode: Mode
) -> None:
    run = await scene.start("shaky_deploy")
    stage = Stage(scene.database, clock)

    with failing(f"{boundary}={mode}:50ms", clock) as fault:
        await driven(stage)
        if boundary == "undo":
            await scene.vote((await scene.picture(run)).approvals[-1].id, "dana", "reject")
        await driven(stage)
    if boundary == "step":
        await scene.vote((await scene.picture(run)).approvals[-1].id, "dana", "reject")
    await driven(stage)

    assert fault.seen > 0
    assert (await scene.picture(run)).row.status is RunStatus.ROLLED_BACK
    done = [each.name for each in notes.effects(scene.folder)]
    assert list(dict.fromkeys(done)) == ["migrate", "deploy", "undo deploy", "undo migrate"]
    assert len(done) <= 5
