"""A short life of a process whose settings say where it is to be killed, and the one that goes on after it."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from bot.chaos.checker.pages import opened_book, shared_book
from bot.chaos.checker.violations import violations
from bot.databases import database_of
from bot.settings import Settings
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, SystemIds
from engine.services import runs
from engine.tokens import Tokens
from tests.durability.notes import Notes
from tests.durability.scene import SECRET, Anywhere, Scene

FILE: Final = "signoff.db"


def live(folder: Path, url: str, orders: str) -> None:
    """Start a run, drive it, and approve what it asks, until `orders` kill this process."""
    structlog.configure(processors=[_unsaid])
    asyncio.run(lived(folder, url, orders))


async def lived(folder: Path, url: str, orders: str | None = None, *, life: int = 0) -> list[str]:
    """Go on with what is at `url`; gives how its run stands, and what does not hold of it."""
    clock, ids = SystemClock(), SystemIds()
    settings = Settings(database_url=url, secret_key=SECRET.decode(), failpoints=orders)
    opened = database_of(settings, clock=clock, ids=ids, tokens=Tokens(SECRET))
    async with opened as (database, _clock):
        world = Notes(folder, clock, life=life, is_synced=True)
        scene: Anywhere = Scene(database, clock, world, folder)
        await scene.prepare()
        known = await database.read(lambda tx: runs.page(tx, DEFAULT_TENANT))
        run = known[0].id if known else await scene.start("shaky_deploy")
        await scene.drive()
        for asked in (await scene.picture(run)).approvals:
            if asked.status == "open":
                await scene.vote(asked.id, "ana")
        await scene.drive()
        await scene.deliver()
        status = (await scene.picture(run)).row.status
        world.close()
    is_file = settings.shared_url is None
    book = opened_book(folder / FILE) if is_file else await shared_book(url)
    return [str(status), *violations(book, scene.evidence())]


def _unsaid(*_line: object) -> str:
    raise structlog.DropEvent
