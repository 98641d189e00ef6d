"""The live timeline: every run's journal as it grows, one line of the terminal for each entry worth telling."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.text import Text

from bot.demo.api import Api, Line
from bot.demo.changes import Changes
from bot.demo.people import name_of
from bot.demo.trees import Record, record, text
from channels.visible import visible
from engine.clock import Clock
from signoff.errors import SignoffError

LOOK_EVERY: Final = timedelta(milliseconds=500)

_SAID: Final[Mapping[str, str]] = {
    "approve": "approved",
    "reject": "rejected",
    "request_changes": "asked for changes",
    "abstain": "abstained",
}
_VIA: Final[Mapping[str, str]] = {
    "slack": "in Slack",
    "email": "by email",
    "webhook": "by webhook",
    "web": "in the inbox",
}
_TOLD: Final[Mapping[str, str]] = {
    "run.created": "begins",
    "step.finished": "did {name}",
    "step.failed": "failed at {name}",
    "rollback.started": "is being undone",
    "compensation.finished": "undid {name}",
    "compensation.stuck": "cannot undo {name}",
    "run.completed": "is completed",
    "run.rolled_back": "is rolled back",
    "run.failed": "failed",
    "run.cancelled": "was cancelled",
}
_OUTCOMES: Final[Mapping[str, str]] = {
    "rollback": "nobody answered in time, so all of it is undone",
    "reject": "nobody answered in time, so it is rejected",
}
_STYLES: Final[Mapping[str, str]] = {
    "approval.opened": "yellow",
    "vote.recorded": "cyan",
    "run.completed": "green",
    "run.rolled_back": "magenta",
    "run.failed": "red",
}


class Timeline:
    """Watches every run there is. `changes` is raised whenever there was something to tell."""

    def __init__(self, api: Api, clock: Clock, console: Console) -> None:
        self.changes = Changes()
        self._api = api
        self._clock = clock
        self._console = console
        self._seen: dict[str, str] = {}
        self._positions: dict[str, int] = {}
        self._is_away = False

    async def watch(self) -> None:
        """Tell what happens, until cancelled; a server that is away is told once."""
        while True:
            try:
                await self.look()
                self._is_away = False
            except SignoffError:
                if not self._is_away:
                    self._console.print("          the server does not answer", style="red")
                self._is_away = True
            await self._clock.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Tell what happened since the last time.

        Raises:
            SignoffError: if the server is away.
        """
        told: list[tuple[str, Line]] = []
        for run in await self._api.runs():
            id, updated_at = text(run, "id"), text(run, "updated_at")
            if self._seen.get(id) != updated_at:
                told.extend((text(run, "workflow"), line) for line in await self._news(id))
                self._seen[id] = updated_at
        for workflow, line in sorted(told, key=lambda pair: pair[1].at):
            self._tell(workflow, line)
        if told:
            self.changes.announce()

    async def _news(self, run: str) -> list[Line]:
        lines = await self._api.journal(run, after=self._positions.get(run, -1))
        if lines:
            self._positions[run] = lines[-1].position
        return lines

    def _tell(self, workflow: str, line: Line) -> None:
        if words := sentence(line):
            self._console.print(
                Text.assemble(
                    (f"{line.at.astimezone():%H:%M:%S}  ", "dim"),
                    (f"{workflow:<16}", "bold"),
                    (visible(words), _STYLES.get(line.kind, "")),
                ),
                soft_wrap=True,
            )


def sentence(line: Line) -> str:
    """What an entry says, in words; empty for what only a program wants to know."""
    data: Record = dict(line.data)
    match line.kind:
        case "approval.opened":
            return f"asks: {text(record(data.get('content')), 'title')}"
        case "vote.recorded":
            channel, choice = text(data, "channel"), text(data, "choice")
            via = _VIA.get(channel, channel)
            so = " with changes" if data.get("changes") else ""
            return f"{name_of(text(data, 'person'))} {_SAID.get(choice, choice)}{so} {via}"
        case "rung.fired":
            return f"time has passed: {text(data, 'text')}"
        case "approval.decided":
            outcome = text(data, "outcome")
            return f"decided: {_OUTCOMES.get(outcome, outcome)}"
        case kind:
            return _TOLD.get(kind, "").format(name=line.name)
