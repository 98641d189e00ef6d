"""How a run waits: alone it gives its lease back at once, a branch of it only says what it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn

from engine.clock import Clock, from_iso, iso
from engine.ids import RunId
from engine.rules.states import RunStatus, WaitingReason
from engine.runtime.memory import last
from engine.runtime.signals import Suspended
from engine.runtime.texts import Texts
from engine.runtime.unwritten import Unwritten
from engine.services import branching, driving
from engine.services.driving import Driven
from engine.store.journal import Entry, NewEntry
from engine.store.runs import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the deed at `path` waits for: a moment, or the end of what `awaits` names."""

    path: str
    reason: WaitingReason
    until: datetime | None = None
    awaits: str | None = None

    def to_json(self) -> dict[str, object]:
        """The need as journaled."""
        until = None if self.until is None else iso(self.until)
        return {"path": self.path, "reason": self.reason, "until": until, "awaits": self.awaits}


class Waits(Suspended):
    """A branch waits for these; its run goes on with the others."""

    def __init__(self, *needs: Need) -> None:
        super().__init__()
        self.needs = needs


class Pausing:
    """How the deeds of a run, or of one branch of it, wait."""

    def __init__(
        self, claim: Claim, unwritten: Unwritten, clock: Clock, *, is_branch: bool = False
    ) -> None:
        self.claim, self._clock = claim, clock
        # While branches linger more is read; who waits may be sent away before it was told of that.
        self._claimed_at = claim.entries[-1].position
        self._driven = Driven(tenant=claim.run.tenant, run=claim.run.id, token=claim.token)
        self.unwritten, self.is_branch = unwritten, is_branch

    def of_branch(self) -> "Pausing":
        """The same for a branch of the run."""
        return Pausing(self.claim, self.unwritten, self._clock, is_branch=True)

    @property
    def texts(self) -> Texts:
        """Reads what people wrote."""
        return Texts(self.unwritten.database, self.claim.run.tenant)

    @property
    def run(self) -> RunId:
        """Which run it is."""
        return self.claim.run.id

    @property
    def now(self) -> datetime:
        """The moment as far as the run is concerned: never before it was taken up."""
        return max(self._clock.now(), self.claim.entries[-1].at)

    async def until(self, moment: datetime, *entries: NewEntry) -> NoReturn:
        """Record `entries`, the last of which begins the wait, and wait until `moment`.

        Raises:
            Suspended: always.
        """
        if self.is_branch:
            await self.unwritten.record(*entries[:-1], self.begins(entries[-1]))
            self._needs(entries[-1].path, moment)
        await self.unwritten.write(
            lambda tx, before: driving.pause_until(tx, self._driven, [*before, *entries], moment)
        )
        raise Suspended

    async def slept(self, path: str, length: timedelta, known: Sequence[Entry]) -> None:
        """Return once the sleep of that `length` at `path` is over, of which the journal holds `known`.

        Raises:
            Suspended: if it is not.
        """
        if last(known, "sleep.ended") is not None:
            return
        started = last(known, "sleep.started")
        if started is None:
            until = self._clock.now() + length
            said = {"until": iso(until)}
            await self.until(
                until, NewEntry(kind="sleep.started", name="sleep", path=path, data=said)
            )
        await self.over(started, NewEntry(kind="sleep.ended", name="sleep", path=path))

    async def over(self, begun: Entry, ended: NewEntry) -> None:
        """Return once the wait that `begun` began is over, which `ended` then says.

        Whoever takes up a run that waits alone has said so already.

        Raises:
            Suspended: if it is not.
        """
        moment = from_iso(str(begun.data["until"]))
        if moment > self.now:
            if self.is_branch:
                self._needs(begun.path, moment)
            await self.until(moment)
        await self.unwritten.record(ended)

    def until_ended(self, path: str, awaits: str, reason: WaitingReason) -> NoReturn:
        """Wait until what `awaits` names has ended; its beginning is recorded.

        Raises:
            Suspended: always.
        """
        if self.is_branch:
            raise Waits(Need(path=path, reason=reason, awaits=awaits))
        raise Suspended

    async def together(self, needs: Sequence[Need]) -> NoReturn:
        """Wait until the first of `needs` is met: no branch can go on before.

        Raises:
            Suspended: always.
        """
        if self.is_branch:
            raise Waits(*needs)
        waiting = NewEntry(
            kind="branches.waiting", data={"needs": [need.to_json() for need in needs]}
        )
        moment = min((need.until for need in needs if need.until is not None), default=None)
        paths = frozenset(need.path for need in needs)
        await self.unwritten.write(
            lambda tx, before: branching.pause(
                tx,
                self.claim,
                [*before, waiting],
                moment=moment,
                paths=paths,
                after=self._claimed_at,
            )
        )
        raise Suspended

    async def end_branches(self, ended: NewEntry) -> None:
        """Record that branches have ended at the path of `ended`; what they still ask is withdrawn."""
        await self.unwritten.write(lambda tx, before: branching.end(tx, self.claim, before, ended))

    def begins(self, entry: NewEntry) -> NewEntry:
        """`entry`, which begins a wait: in a branch the run itself stays as it is."""
        return replace(entry, data={**entry.data, **self.to}) if self.is_branch else entry

    @property
    def to(self) -> Mapping[str, object]:
        """What an entry that begins a wait says of the run, if anything."""
        return {"to": RunStatus.RUNNING} if self.is_branch else {}

    def _needs(self, path: str | None, moment: datetime) -> NoReturn:
        raise Waits(Need(path=path or "", reason=WaitingReason.TIMER, until=moment))
