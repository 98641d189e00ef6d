"""One life that plays a story on a file until it is killed or hurt, and the next one, which brings it to its end."""

import asyncio
import shutil
import signal
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import structlog

from engine.clock import Clock, SystemClock
from engine.errors import EngineError, Fault
from engine.ids import SystemIds
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability import notes
from tests.durability.notes import Notes
from tests.durability.scene import SECRET, Anywhere, Scene
from tests.durability.stories import PLAYS, Play
from tests.durability.traced import Injury, injured

WITHIN = 300.0  # seconds, however busy the machine is
LATER = timedelta(hours=1)  # every lease is over by then, and no deadline
TRIES = 8  # of a life whose disk fails it
FILE = "signoff.db"


def live(folder: Path, story: str, told: Connection, *, from_the_start: bool) -> None:
    """Play `story` on the file in `folder`; wait to be watched before it is opened, or after that."""
    structlog.configure(processors=[_unsaid])
    asyncio.run(_live(folder, story, told, from_the_start=from_the_start))


async def _live(folder: Path, story: str, told: Connection, *, from_the_start: bool) -> None:
    play, _judge = PLAYS[story]
    clock = SystemClock()
    world = Notes(folder, clock, is_synced=True)
    if from_the_start:
        _wait_to_be_watched(told)
    async with opened(
        folder / FILE, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)
    ) as database:
        scene = Scene(database, clock, world, folder)
        await scene.prepare()
        if not from_the_start:
            _wait_to_be_watched(told)
        await _play(play, scene)


async def _play(play: Play, scene: Anywhere) -> None:
    """As a server does: what the disk refuses is tried again, and nobody is told that it was kept."""
    for number in range(TRIES):
        try:
            if number:
                await scene.restart()
            await play(scene)
        except* EngineError:
            await scene.clock.sleep(timedelta(milliseconds=20))
        else:
            return


def _wait_to_be_watched(told: Connection) -> None:
    told.send("ready")
    told.recv()


def hurt(
    nursery: ForkServerContext,
    migrated_file: Path,
    folder: Path,
    story: str,
    injury: Injury,
    *,
    from_the_start: bool = False,
) -> bool:
    """Whether a life that plays `story` on a fresh file in `folder` was killed by `injury`."""
    shutil.copyfile(migrated_file, folder / FILE)
    ours, theirs = nursery.Pipe()
    process = nursery.Process(
        target=live, args=(folder, story, theirs), kwargs={"from_the_start": from_the_start}
    )
    process.start()
    theirs.close()
    try:
        if not ours.poll(WITHIN):
            raise Fault("A life did not begin.")
        ours.recv()
        with injured(process.pid or 0, injury):
            ours.send("go")
            process.join(WITHIN)
            if process.is_alive():
                raise Fault(f"A life did not end: {injury}")
        return process.exitcode == -signal.SIGKILL
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def wrong_afterwards(folder: Path, story: str) -> list[str]:
    """What is wrong once the next life has brought the story to its end, on a machine that is well."""
    return asyncio.run(_afterwards(folder, story))


async def _afterwards(folder: Path, story: str) -> list[str]:
    play, judge = PLAYS[story]
    clock: Clock = ManualClock(SystemClock().now() + LATER)
    lives = 1 + max((each.life for each in notes.effects(folder)), default=0)
    world = Notes(folder, clock, life=lives)
    try:
        async with opened(
            folder / FILE, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)
        ) as database:
            scene = Scene(database, clock, world, folder)
            await scene.prepare()
            lost = [line for line in scene.violations(is_quiet=False) if line.startswith("I2")]
            await play(scene)
            return lost + await judge(scene)
    finally:
        world.close()


def _unsaid(*_line: object) -> str:
    raise structlog.DropEvent
