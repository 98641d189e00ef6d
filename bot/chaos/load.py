"""What people and programs do meanwhile: runs begin, are voted on at every door, edited and cancelled."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bot.chaos.checker.violations import Acked
from bot.chaos.company import CREW, OPERATOR, ROOMS
from bot.chaos.dice import Dice
from bot.chaos.doors import UNHEARD, Doors, Fate, Said
from bot.chaos.telling import DESK
from bot.chaos.watching import Seen, Watch
from engine.clock import Clock

PATIENCE: Final = timedelta(seconds=90)  # of whoever asks, before they give an operation up
AGAIN: Final = (timedelta(milliseconds=100), timedelta(seconds=1))
OPENS_WITHIN: Final = timedelta(seconds=120)
THINKING: Final = (timedelta(milliseconds=50), timedelta(seconds=3))
TOGETHER: Final = 40  # stories at once
CHOICES: Final = ("approve",) * 7 + ("reject",) * 2 + ("abstain",)
# What people say beside yes, of the kinds that take it: some of them the same, and some too much.
_Words = Sequence[Mapping[str, object]]
_OFFERED: Final[_Words] = (
    {"changes": {"count": 2}}, {"changes": {"count": 2}}, {"changes": {"count": 5}}, {},
)  # fmt: skip
_FILLED: Final[_Words] = (
    {"form": {"count": 2, "when": "now"}}, {"form": {"count": 2, "when": "now"}},
    {"form": {"count": 6}}, {"form": {}},
)  # fmt: skip
_GRANTED: Final[_Words] = (
    {"changes": {"amount": "2.00"}}, {"changes": {"amount": "2.00"}},
    {"changes": {"amount": "3.01"}}, {},
)  # fmt: skip
WORDS: Final = {"chaos.offer": _OFFERED, "chaos.form": _FILLED, "chaos.grant": _GRANTED}
WORKFLOWS: Final = (
    *("chaos.order",) * 5,
    *("chaos.notice",) * 2,
    *("chaos.payment",) * 3,
    *("chaos.tree",) * 2,
    *("chaos.offer",) * 2,
    "chaos.form",
    "chaos.grant",
)
LADDERS: Final = (
    (["reject after 1h"],) * 6
    + (["remind after 1s", "reject after 6s"],)
    + (["rollback after 4s"],)
    + (["remind after 2s", "continue with {} after 5s"],)
)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was tried and what came of it. `acked` are the votes whose voters were told so."""

    done: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[str] = field(default_factory=Counter[str])
    tries: int = 0
    acked: list[Acked] = field(default_factory=list[Acked])
    lost: list[str] = field(default_factory=list[str])

    @property
    def succeeded(self) -> float:
        """The share of operations that were answered truthfully in time."""
        good = self.done.total() + self.refused.total()
        return good / max(1, good + self.failed.total())


@dataclass(slots=True, kw_only=True)
class Load:
    """Begins stories until told to stop; each story is one run from its start to its last late vote."""

    doors: Doors
    watch: Watch
    clock: Clock
    dice: Dice
    tally: Tally = field(default_factory=Tally)
    started: list[str] = field(default_factory=list[str])
    _worded: dict[str, str] = field(default_factory=dict[str, str])  # which runs take more words
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TOGETHER))

    async def run(self, *, every: timedelta, number: int, enough: Callable[[], bool]) -> None:
        """Begin at least `number` stories, one at every `every`, and go on until it is `enough`."""
        async with asyncio.TaskGroup() as group:
            told = 0
            while told < number or not enough():
                await self._room.acquire()
                group.create_task(self._story(told))
                told += 1
                await self.clock.sleep(self.dice.between(every / 2, every * 1.5))

    async def _story(self, number: int) -> None:
        dice = self.dice.of(f"story {number}")
        try:
            run = await self._start(number, dice)
            if run is None:
                return
            self.started.append(run)
            seen = await self._opened(run)
            if seen is not None:
                await self._play(run, seen, dice)
        finally:
            self._room.release()

    async def _start(self, number: int, dice: Dice) -> str | None:
        workflow = dice.one_of(WORKFLOWS)
        given: dict[str, object] = {"what": f"thing {number}"}
        if workflow != "chaos.payment":
            given |= {"room": f"#{dice.one_of(ROOMS)}", "reader": dice.one_of(CREW)}
        if workflow == "chaos.payment":
            given["probes"] = dice.chance(0.7)
        elif workflow == "chaos.order":
            given |= {"quorum": dice.one_of((1, 1, 2)), "ladder": dice.one_of(LADDERS)}
        body = {"workflow": workflow, "input": given}
        said = await self.operate(
            "start",
            lambda: self.doors.ask(
                "POST", "/api/runs", body, bearer=self.doors.key, key=f"story-{number}"
            ),
        )
        run = None if said.body is None else str(said.body.get("id") or "") or None
        if run is not None and workflow in WORDS:
            self._worded[run] = workflow
        return None if workflow == "chaos.payment" else run  # that one asks nobody

    async def _opened(self, run: str) -> Seen | None:
        limit = self.clock.now() + OPENS_WITHIN
        while self.clock.now() < limit:
            seen = self.watch.of(run)
            if seen is not None:
                return seen
            await self.watch.moved()
        self.tally.lost.append(run)
        return None

    async def _play(self, run: str, seen: Seen, dice: Dice) -> None:
        if dice.chance(0.06):
            return await self._cancel(run, seen, dice)
        if dice.chance(0.1):
            await self._edit(seen)
        people = sorted((*CREW, DESK), key=lambda _person: dice.fraction())
        for person in people[:3]:
            await self.clock.sleep(dice.between(*THINKING))
            seen = self.watch.of(run) or seen
            if not seen.is_open:
                break
            await self._vote(seen, person, dice)
        if dice.chance(0.3):
            # Too late, most of the time: it must change nothing.
            await self.clock.sleep(dice.between(*THINKING))
            await self._vote(self.watch.of(run) or seen, people[-1], dice)
        return None

    async def _vote(self, seen: Seen, person: str, dice: Dice) -> None:
        choice = dice.one_of(CHOICES)
        if dice.chance(0.1):
            choice = "request_changes" if dice.chance(0.5) else choice
        if seen.run in self._worded and choice == "approve" and person != DESK:
            await self._agree(seen, person, dice)
            return
        for _time in range(2 if dice.chance(0.2) else 1):
            door = dice.one_of(("api", "slack", "mail", "hook"))
            said = await self._at(door, seen, person, choice)
            if said.fate is Fate.ABSENT:
                said = await self._at("api" if person != DESK else "hook", seen, person, choice)

    async def _agree(self, seen: Seen, person: str, dice: Dice) -> None:
        """Agree to something else, fill in a form, or agree to what was asked for."""
        words = dice.one_of(WORDS[self._worded[seen.run]])
        said = await self.operate(
            "vote with changes",
            lambda: self.doors.by_api(seen, person, "approve", words=words),
        )
        self._note(said, seen, (person, "approve"), "api")

    async def _at(self, door: str, seen: Seen, person: str, choice: str) -> Said:
        if person == DESK:
            return await self._cast("hook", seen, person, choice)
        if door == "slack" and choice == "approve":
            return await self._cast("slack", seen, person, choice)
        if door == "mail" and choice in {"approve", "reject"}:
            return await self._cast("mail", seen, person, choice)
        return await self._cast("api", seen, person, choice)

    async def _cast(self, door: str, seen: Seen, person: str, choice: str) -> Said:
        def once() -> Awaitable[Said]:
            match door:
                case "slack":
                    return self.doors.by_slack(seen, person)
                case "mail":
                    return self.doors.by_mail(seen, person, choice)
                case "hook":
                    return self.doors.by_hook(seen, choice)
                case _:
                    return self.doors.by_api(seen, person, choice)

        said = await self.operate(f"vote by {door}", once)
        self._note(said, seen, (person, choice), door)
        return said

    def _note(self, said: Said, seen: Seen, vote: tuple[str, str], door: str) -> None:
        """Remember that a voter was told that the vote is recorded."""
        if said.fate is Fate.DONE and said.code != UNHEARD:
            person, choice = vote
            acked = Acked(
                approval=seen.id, person=person, choice=choice, status=said.status, door=door
            )
            self.tally.acked.append(acked)

    async def _cancel(self, run: str, seen: Seen, dice: Dice) -> None:
        path = f"/api/runs/{run}/cancel"
        if dice.chance(0.5):
            path = f"/api/approvals/{seen.id}/cancel"
        body, bearer = {"reason": "not needed any more"}, self.doors.sessions[OPERATOR]
        await self.operate("cancel", lambda: self.doors.ask("POST", path, body, bearer=bearer))

    async def _edit(self, seen: Seen) -> None:
        body = {"details": {"what": "something better", "round": 2}, "version": seen.version}
        path, bearer = f"/api/approvals/{seen.id}", self.doors.sessions[OPERATOR]
        await self.operate("edit", lambda: self.doors.ask("PATCH", path, body, bearer=bearer))

    async def operate(self, kind: str, once: Callable[[], Awaitable[Said]]) -> Said:
        """Ask until somebody answers; whoever asks again names the same thing, so it counts once."""
        limit = self.clock.now() + PATIENCE
        while True:
            self.tally.tries += 1
            said = await once()
            match said.fate:
                case Fate.DONE:
                    self.tally.done[kind] += 1
                case Fate.REFUSED:
                    self.tally.refused[kind] += 1
                case Fate.BROKEN:
                    self.tally.failed[kind] += 1
                case Fate.ABSENT:
                    self.tally.tries -= 1
                case Fate.AWAY:
                    if self.clock.now() < limit:
                        await self.clock.sleep(self.dice.between(*AGAIN))
                        continue
                    self.tally.failed[kind] += 1
            return said
