"""Any order of starts, votes, edits, time, withdrawals and deaths leaves what a small model says is visible."""

import asyncio
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from engine.errors import AlreadyDecided, EngineError, NotEligible, Superseded, TooLate
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.states import ApprovalStatus
from engine.services import changing, runs
from engine.store.pictures import ApprovalPicture
from engine.store.sqlite import SqliteDatabase, opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.durability import notes
from tests.durability.conftest import MEMORY
from tests.durability.notes import Notes
from tests.durability.scene import GROUPS, SECRET, Mortal, Scene
from tests.durability.test_storms import OPERATOR

T = TypeVar("T")

FINANCE = GROUPS["finance"]
QUORUM = 2
PATIENCE = timedelta(hours=4)


@dataclass
class Asked:
    """What must be visible of one refund: who said what on this version, and how it ended."""

    run: RunId
    opened_at: datetime
    version: int = 1
    deadline: timedelta = PATIENCE
    choices: dict[str, str] = field(default_factory=dict)
    status: str = "open"

    def hears(self, person: str, choice: str) -> None:
        """Count a vote that was taken."""
        self.choices[person] = choice
        said = list(self.choices.values())
        if said.count("reject"):
            self.status = "rejected"
        elif said.count("request_changes"):
            self.status = "changes_requested"
        elif said.count("approve") >= QUORUM:
            self.status = "approved"
        elif len(FINANCE) - said.count("abstain") < QUORUM:
            self.status = "rejected"

    def refusal(self, person: str, choice: str, now: datetime) -> type[EngineError] | None:
        """How a vote must be refused, if it must be."""
        if person not in FINANCE:
            return NotEligible
        is_repeated = self.choices.get(person) == choice
        if self.status in {"approved", "rejected", "changes_requested"}:
            return None if is_repeated else AlreadyDecided
        if self.status == "cancelled":
            return AlreadyDecided
        if self.status == "expired" or now >= self.opened_at + self.deadline:
            return TooLate
        return None


class Refunds(RuleBasedStateMachine):
    """Refunds of 10.00 each, which two of three people must approve within four hours."""

    asked = Bundle("asked")
    template: Path

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.model: list[Asked] = []
        self.clock = ManualClock()
        self.runner = asyncio.Runner()
        self.life = 0
        shutil.copyfile(self.template, self.path)
        self._open()

    @rule(target=asked)
    def start(self) -> Asked:
        run = self._do(self.scene.start("shaky_refund"))
        self.drive()
        found = Asked(run, opened_at=self.clock.now())
        self.model.append(found)
        return found

    @rule(
        this=asked,
        person=st.sampled_from([*FINANCE, "dana"]),
        choice=st.sampled_from(["approve", "approve", "reject", "abstain", "request_changes"]),
        seen=st.sampled_from(["now", "now", "before"]),
    )
    def vote(self, this: Asked, person: str, choice: str, seen: str) -> None:
        refusal = this.refusal(person, choice, self.clock.now())
        version = this.version if seen == "now" else this.version - 1
        if seen == "before" and refusal is not NotEligible:
            refusal = Superseded
        told = self._try(self.scene.vote(self._picture(this).id, person, choice, version=version))
        assert (type(told) if isinstance(told, EngineError) else None) is refusal
        is_new = this.choices.get(person) != choice
        if refusal is None and this.status == "open" and is_new:
            this.hears(person, choice)

    @rule(this=asked, title=st.sampled_from(["Pay?", "Really pay?"]))
    def edit(self, this: Asked, title: str) -> None:
        picture = self._picture(this)
        wanted = changing.Edit(title=title)
        told = self._try(
            self.database.write(lambda tx: changing.edit(tx, OPERATOR, picture.id, wanted))
        )
        if self._is_open(this) and title != picture.title:
            this.version += 1
            this.choices.clear()
        assert isinstance(told, EngineError) is not self._is_open(this)

    @rule(this=asked)
    def extend(self, this: Asked) -> None:
        name = self._picture(this).id
        told = self._try(
            self.database.write(
                lambda tx: changing.extend(tx, OPERATOR, name, by="1h", reason="more time")
            )
        )
        assert isinstance(told, EngineError) is not self._is_open(this)
        if self._is_open(this):
            this.deadline += timedelta(hours=1)

    @rule(this=asked)
    def cancel(self, this: Asked) -> None:
        self._try(
            self.database.write(
                lambda tx: runs.cancel(tx, DEFAULT_TENANT, this.run, by="person:zoe", reason="no")
            )
        )
        if this.status == "open":
            this.status = "cancelled"

    @rule(by=st.sampled_from([timedelta(minutes=30), timedelta(hours=2), PATIENCE]))
    def time_passes(self, by: timedelta) -> None:
        self._do(self.clock.advance(by))

    @rule()
    def drive(self) -> None:
        self._do(self.scene.drive())
        self._expire()

    @rule()
    def deliver(self) -> None:
        self._do(self.scene.deliver())

    @rule(last=st.integers(1, 12), before=st.booleans())
    def die(self, last: int, before: bool) -> None:
        mortal = Mortal(self.database, last=last, before=before)
        self._do(self.scene.drive(mortal))
        self._expire()
        self._do(self.scene.deliver(mortal if not mortal.is_dead else None))

    @rule()
    def restart(self) -> None:
        self._close()
        self.life += 1
        self._open()

    @invariant()
    def what_is_visible_is_what_the_model_says(self) -> None:
        for this in getattr(self, "model", []):
            picture = self._picture(this)
            counted = {vote.person: vote.choice for vote in picture.votes if picture.counts(vote)}
            assert (picture.status, picture.version) == (this.status, this.version)
            assert counted == this.choices

    @invariant()
    def nobody_is_paid_without_consent(self) -> None:
        if not hasattr(self, "model"):
            return
        paid = {each.place[0] for each in notes.effects(self._folder) if each.needs_consent}
        assert paid <= {this.run for this in self.model if this.status == "approved"}

    @override
    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self._do(self.scene.drive())
        self._expire()
        self._do(self.scene.deliver())
        assert self.scene.violations() == []
        self._close()
        self.runner.close()
        self.folder.cleanup()

    @property
    def _folder(self) -> Path:
        return Path(self.folder.name)

    @property
    def path(self) -> Path:
        return self._folder / "signoff.db"

    @property
    def database(self) -> SqliteDatabase:
        return self.scene.database

    def _open(self) -> None:
        self.world = Notes(self._folder, self.clock, life=self.life)
        self.scene = self._do(self._opened())

    async def _opened(self) -> Scene:
        self.holder = opened(self.path, clock=self.clock, ids=SystemIds(), tokens=Tokens(SECRET))
        scene = Scene(await self.holder.__aenter__(), self.clock, self.world, self._folder)
        await scene.prepare()
        return scene

    def _close(self) -> None:
        self.life = self.world.life
        self._do(self.holder.__aexit__(None, None, None))
        self.world.close()

    def _is_open(self, this: Asked) -> bool:
        return this.status == "open" and self.clock.now() < this.opened_at + this.deadline

    def _expire(self) -> None:
        for this in self.model:
            if this.status == "open" and not self._is_open(this):
                this.status = "expired"

    def _picture(self, this: Asked) -> ApprovalPicture:
        return self._do(self.scene.picture(this.run)).approvals[-1]

    def _do(self, deed: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(deed)

    def _try(self, deed: Coroutine[Any, Any, T]) -> T | EngineError:
        try:
            return self._do(deed)
        except EngineError as refusal:
            return refusal


def tried(template: Path, *, examples: int, steps: int) -> None:
    class Tried(Refunds):
        pass

    Tried.template = template
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(Tried, settings=bounds)


def test_what_is_visible_is_what_a_small_model_says(migrated_file: Path) -> None:
    tried(migrated_file, examples=3, steps=30)


@pytest.mark.slow
def test_what_is_visible_is_what_a_small_model_says_for_long(migrated_file: Path) -> None:
    tried(migrated_file, examples=10, steps=40)


def test_the_model_knows_every_ending() -> None:
    endings = {"open", "approved", "rejected", "expired", "changes_requested", "cancelled"}

    assert endings == {*ApprovalStatus}
