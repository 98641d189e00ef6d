"""Rolling back: the compensations of what was done, newest first, each journaled, tried again, or stuck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from engine.clock import Clock, iso
from engine.ids import Ids
from engine.rules.retry import Retry, next_delay
from engine.runtime.attempts import UNDO, Attempt, Failure, make
from engine.runtime.calling import Caller
from engine.runtime.consenting import Answer, Consent
from engine.runtime.sandboxing import marks_of
from engine.services import children, driving
from engine.services.driving import Driven
from engine.store import points
from engine.store.database import Database
from engine.store.journal import Entry, NewEntry
from engine.store.runs import Claim
from engine.store.undoing import Undo
from signoff.calls import resolve
from signoff.http import HttpAnswer

log = structlog.get_logger("engine.runtime")

ATTEMPTS = 5
TIMEOUT = timedelta(minutes=5)
_DISPATCHED: Final = frozenset({"compensation.begun", "compensation.failed"})
_LOOK: Final = "It may have been done, and is not done twice by itself: look, then take it over, skip it, or retry it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoer:
    """One drive of a run that rolls back."""

    claim: Claim
    database: Database
    clock: Clock
    ids: Ids
    caller: Caller

    @property
    def driven(self) -> Driven:
        """The run and the proof of its lease."""
        run = self.claim.run
        return Driven(tenant=run.tenant, run=run.id, token=self.claim.token)

    async def roll_back(self) -> None:
        """Undo what is left to undo, then end the run as rolled back, or let it go on.

        A compensation that fails is tried again later, as rows; one that keeps failing leaves the
        run rolling back and stuck, and those older than it wait: their order is part of the promise.
        So they do while people are asked about one that needs their consent. A crash between a
        compensation and its entry runs it again with the same request id; an irreversible one is left
        to the operators instead, and so it is after a failure that does not tell.
        """
        while True:
            entries = await self.database.read(lambda tx: driving.journal_of(tx, self.driven))
            left = driving.left_to_undo(entries)
            if not left:
                return await self._end(entries)
            if left[0].child is not None:
                if await self._undo_child(left[0], entries):
                    return None
                continue
            if not await self._undo_one(left[0], entries):
                return None

    async def _end(self, entries: Sequence[Entry]) -> None:
        order = points.under_way(entries)
        said: Mapping[str, Any] = {} if order is None else order.data
        reason = said.get("reason")
        if said.get("mode") == "resume":
            kept = {name: said[name] for name in ("to", "position", "by") if name in said}
            resumed = NewEntry(kind="rollback.resumed", data={**kept, "reason": reason})
            await self.database.write(lambda tx: driving.go_on(tx, self.driven, resumed))
            log.info("run.went_back", run=self.driven.run, to=said.get("to"))
            return
        error = said.get("error") or {"code": "rolled_back", "message": str(reason)}
        if self.claim.run.parent is not None:
            error = {**error, "ending": children.ending(entries, said.get("rejected"))}
        ended = NewEntry(kind="run.rolled_back", data={"reason": reason})
        await self.database.write(lambda tx: driving.finish(tx, self.driven, ended, error=error))
        log.info("run.rolled_back", run=self.driven.run)

    async def _undo_child(self, undo: Undo, entries: Sequence[Entry]) -> bool:
        """Have a run undone that this one started; says whether that waits to be over."""
        order = points.under_way(entries)
        why = "" if order is None else order.data.get("reason")
        reason = f"Run {self.driven.run}, which started it, is undone: {why}"
        return await self.database.write(
            lambda tx: children.undo(tx, self.claim, undo, reason=reason)
        )

    async def _undo_one(self, undo: Undo, entries: Sequence[Entry]) -> bool:
        """Whether the compensation is settled; otherwise the lease was given back."""
        consent = Consent(self.driven, self.claim, self.database)
        match await consent.to(undo, entries):
            case Answer.WAITING:
                return False
            case Answer.REFUSED:
                return True
            case Answer.GIVEN:
                pass
        number = _attempts(entries, undo) + 1
        began_at = self.clock.now()
        request_id = f"{self.driven.run}:{undo.path}:undo"
        if self.claim.sandbox is None and _is_in_doubt(entries, undo):
            lost = {"type": "process_lost", "message": f"Its process ended before it did. {_LOOK}"}
            await self._stick(undo, {"error": lost, "request_id": request_id})
            return False
        marks = marks_of(self.claim)
        facts = {"undo": undo.undo, "attempt": number, "request_id": request_id, **marks}
        begun = _entry(undo, "compensation.begun", facts)
        begin = driving.record if _is_ordered(entries) else driving.begin
        await self.database.write(lambda tx: begin(tx, self.driven, [begun]))
        await self.caller.demand_lease()
        result, failure = await self._call(undo, request_id, number)
        after = {"attempt": number, "started_at": iso(began_at), "request_id": request_id, **marks}
        if failure is None:
            done = after if result is None else {**after, "result": result}
            await self._record(undo, "compensation.finished", done)
            return True
        await self._fail(undo, failure, after)
        return False

    async def _record(self, undo: Undo, kind: str, data: Mapping[str, object]) -> None:
        await self.database.write(
            lambda tx: driving.record(tx, self.driven, [_entry(undo, kind, data)])
        )

    async def _stick(self, undo: Undo, data: Mapping[str, object], *before: NewEntry) -> None:
        stuck = [*before, _entry(undo, "compensation.stuck", data)]
        await self.database.write(lambda tx: driving.stuck(tx, self.driven, stuck))
        log.error("compensation.stuck", run=self.driven.run, step=undo.step)

    async def _fail(self, undo: Undo, failure: Failure, made: Mapping[str, Any]) -> None:
        error = failure.to_json()
        failed = _entry(undo, "compensation.failed", {**made, "error": error})
        is_unknown = bool(undo.terms.get("irreversible")) and not (
            failure.no_effect or failure.is_final
        )
        if is_unknown:
            error = {**error, "message": f"{failure.message}. {_LOOK}"}
        is_over = is_unknown or failure.is_final
        again_at = None if is_over else self._again_at(undo, int(made["attempt"]))
        if again_at is not None:
            await self.database.write(
                lambda tx: driving.pause_until(tx, self.driven, [failed], again_at)
            )
            return
        await self._stick(undo, {"error": error, "request_id": made["request_id"]}, failed)

    async def _call(
        self, undo: Undo, request_id: str, number: int
    ) -> tuple[object, Failure | None]:
        """What it returned, as far as it is JSON, or why it failed."""
        if self.claim.sandbox is not None:
            return None, None  # what was not done is not undone
        try:
            fn = resolve(undo.undo)
        except ImportError as error:
            return None, Failure(
                kind="undo_not_found",
                message=str(error),
                no_effect=True,
                is_final=False,
                cause=error,
            )
        request: Mapping[str, Any] | None = undo.terms.get("http")
        with_result = (undo.result, *undo.positional)
        seconds = undo.terms.get("timeout")
        result, failure = await make(
            Attempt(
                fn=fn if request is None else self.caller.undone,
                args=with_result if request is None else (undo.path, request, undo.result),
                kwargs=undo.named if request is None else {},
                request_id=request_id,
                number=number,
                timeout=TIMEOUT if seconds is None else timedelta(seconds=float(seconds)),
                returns=None if request is None else HttpAnswer,
                boundary=UNDO,
            ),
            self.clock,
        )
        # What a compensation returns is kept where it can be; that it is not JSON is no failure.
        is_odd = failure is not None and failure.kind == "bad_result"
        return result, None if is_odd else failure

    def _again_at(self, undo: Undo, number: int) -> datetime | None:
        retries = undo.terms.get("retries")
        attempts = ATTEMPTS if retries is None else 1 + int(retries)
        delay = next_delay(Retry(attempts=attempts), number, jitter=self.ids.fraction())
        return None if delay is None else self.clock.now() + delay


def _is_in_doubt(entries: Sequence[Entry], undo: Undo) -> bool:
    """Whether an irreversible one was begun, and nobody has said since what became of it."""
    known = [
        entry
        for entry in entries
        if entry.kind == "compensation.retried"
        or (entry.path == undo.path and entry.kind in _DISPATCHED)
    ]
    is_begun = bool(known) and known[-1].kind == "compensation.begun"
    return is_begun and bool(undo.terms.get("irreversible"))


def _is_ordered(entries: Sequence[Entry]) -> bool:
    """Whether an operator ordered it, which no kill switch stops."""
    order = points.under_way(entries)
    return order is not None and order.data.get("by") is not None


def _entry(undo: Undo, kind: str, data: Mapping[str, object]) -> NewEntry:
    return NewEntry(kind=kind, name=undo.step, path=undo.path, data=data)


def _attempts(entries: Sequence[Entry], undo: Undo) -> int:
    """How often it failed since it was last retried by hand."""
    failed = 0
    for entry in entries:
        if entry.kind == "compensation.retried":
            failed = 0
        elif entry.kind == "compensation.failed" and entry.path == undo.path:
            failed += 1
    return failed
