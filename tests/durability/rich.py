"""One file with everything in it that the checker judges: consent, changes, money, families, switches, anchors."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.chaos.checker.pages import opened_book
from bot.chaos.checker.violations import Evidence, violations
from engine.clock import micros
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.services import anchoring, halting
from engine.services.halting import Switch
from engine.services.keys import Caller, Scope
from engine.store.database import Transaction
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability import flows, notes
from tests.durability.notes import Notes
from tests.durability.scene import SECRET, Scene
from tests.durability.stories import ASKED, SIGNER, STORIES, make_receipts
from tests.triggers import TAKEN_AWAY

FILE: Final = "signoff.db"
SECOND: Final = timedelta(seconds=1)
LOCAL: Final = Caller(
    tenant=DEFAULT_TENANT, key=None, person=None, scopes=frozenset(Scope), owner=None,
    name="Somebody", kind="local",
)  # fmt: skip


@dataclass
class Rich:
    """The file in `folder`, and what the world saw of it."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def make(self, migrated_file: Path) -> None:
        """Let everything happen."""
        shutil.copyfile(migrated_file, self.path)
        asyncio.run(self._made())

    def copied(self, to: Path) -> "Rich":
        """The same once more, for somebody to tamper with."""
        shutil.copytree(self.folder, to, dirs_exist_ok=True)
        return Rich(to, self.clock)

    def tamper(self, statement: str) -> None:
        """Change rows as somebody would who stands above the constraints."""
        with closing(sqlite3.connect(self.path)) as connection:
            for taken_away in TAKEN_AWAY:
                connection.execute(taken_away)
            assert connection.execute(statement).rowcount > 0, statement
            connection.commit()

    def evidence(self) -> Evidence:
        """What the world saw, when everything had its time."""
        return Evidence(
            effects=notes.effects(self.folder),
            acked=notes.acks(self.folder),
            shown=notes.messages(self.folder),
            made=notes.made(self.folder),
            names=flows.STEPS,
            channel="email",
            now=micros(self.clock.now()),
        )

    def violations(self, evidence: Evidence | None = None) -> list[str]:
        """What the checker finds."""
        return violations(opened_book(self.path), evidence or self.evidence())

    async def _made(self) -> None:
        world = Notes(self.folder, self.clock)
        async with opened(
            self.path, clock=self.clock, ids=SystemIds(), tokens=Tokens(SECRET)
        ) as database:
            scene = Scene(database, self.clock, world, self.folder)
            await scene.prepare()
            for name, story in {**STORIES, **ASKED}.items():
                await story.play(scene, RunId(f"run_{name}"))
                await scene.pass_time(SECOND)
            await make_receipts(scene)
            await scene.database.write(_engaged("tenant"))
            await scene.pass_time(SECOND)
            await scene.database.write(_released)
            await scene.database.write(_engaged("workflow:shaky_deploy"))
            for number in ("1", "2"):
                await scene.pass_time(SECOND)
                await scene.start_as(RunId(f"run_nap_{number}"), "shaky_nap", {"nap": "10d"})
                await scene.drive()
                await anchoring.anchor_all(database, DEFAULT_TENANT, SIGNER)
        world.close()


def _engaged(scope: str) -> Callable[[Transaction], Switch]:
    return lambda tx: halting.engage(tx, LOCAL, scope, reason="Stop.")


def _released(tx: Transaction) -> None:
    halting.release(tx, LOCAL, "tenant", reason="Mended.")
