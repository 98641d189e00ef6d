"""What operators do meanwhile: let go on what was set aside, settle what is unknown, and pull the kill switch."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.chaos.company import OPERATOR
from bot.chaos.dice import Dice
from bot.chaos.doors import Fate
from bot.chaos.load import Load
from bot.chaos.target import Target

SET_ASIDE: Final = "waiting:quarantined"
UNKNOWN: Final = "waiting:reconcile"
PULLED: Final = (timedelta(milliseconds=300), timedelta(seconds=2))
LEFT: Final = (timedelta(seconds=4), timedelta(seconds=9))
SCOPES: Final = ("workflow:chaos.tree", "workflow:chaos.order", "tenant")


@dataclass(slots=True, kw_only=True)
class Operators:
    """They act on what the load's watch shows, each deed until somebody answers it."""

    load: Load
    target: Target
    dice: Dice

    async def tend(self) -> None:
        """Help every run that asks for an operator, until cancelled."""
        watch = self.load.watch
        while True:
            await watch.moved()
            for run, state in list(watch.runs.items()):
                if state == SET_ASIDE:
                    watch.runs[run] = ""
                    await self._do("release", run, {"reason": "its workers were killed on purpose"})
                elif state == UNKNOWN:
                    watch.runs[run] = ""
                    await self._settle(run)

    async def pull(self, enough: Callable[[], bool]) -> None:
        """Engage a kill switch now and then, and release it again, until it is `enough`."""
        while not enough():
            await self.load.clock.sleep(self.dice.between(*LEFT))
            scope = self.dice.one_of(SCOPES)
            await self._switch("engage", scope)
            await self.load.clock.sleep(self.dice.between(*PULLED))
            await self._switch("release", scope)

    async def _switch(self, action: str, scope: str) -> None:
        body = {"action": action, "scope": scope, "reason": "chaos"}
        bearer, doors = self.load.doors.sessions[OPERATOR], self.load.doors
        while True:
            said = await self.load.operate(
                f"{action} a switch",
                lambda: doors.ask("POST", "/api/kill-switch", body, bearer=bearer),
            )
            # Asked again after its answer was lost, a release finds that it is done.
            if said.fate in {Fate.DONE, Fate.REFUSED}:
                return

    async def _settle(self, run: str) -> None:
        charged = any(call.name == "charge" and call.place[0] == run for call in self.target.calls)
        outcome = "happened" if charged else "did_not_happen"
        await self._do("settle", run, {"outcome": outcome, "reason": "I looked at the ledger"})

    async def _do(self, verb: str, run: str, body: dict[str, str]) -> None:
        doors, bearer = self.load.doors, self.load.doors.sessions[OPERATOR]
        path = f"/api/runs/{run}/{verb}"
        await self.load.operate(verb, lambda: doors.ask("POST", path, body, bearer=bearer))
