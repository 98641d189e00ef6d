"""Rolling back: the compensations of what was done, newest first, each journaled, tried again, or stuck."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from engine.clock import Clock, iso
from engine.ids import Ids
from engine.rules.retry import Retry, next_delay
from engine.runtime.attempts import Attempt, Failure, make
from engine.services import driving
from engine.services.driving import Driven
from engine.store.database import Database
from engine.store.journal import Entry, NewEntry
from engine.store.runs import Claim
from engine.store.undoing import Undo
from signoff.calls import resolve

log = structlog.get_logger("engine.runtime")

RETRY = Retry(attempts=5)
TIMEOUT = timedelta(minutes=5)


async def roll_back(claim: Claim, database: Database, clock: Clock, ids: Ids) -> None:
    """Undo what is left to undo, then end the run as rolled back.

    A compensation that fails is tried again later, as rows; one that keeps failing leaves the run
    rolling back and stuck, and those older than it wait: their order is part of the promise.
    A crash between a compensation and its entry runs it again with the same request id.
    """
    driven = Driven(tenant=claim.run.tenant, run=claim.run.id, token=claim.token)
    while True:
        entries = await database.read(lambda tx: driving.journal_of(tx, driven))
        left = driving.left_to_undo(entries)
        if not left:
            break
        if not await _undo_one(left[0], entries, driven, database, clock, ids):
            return
    reason = next(entry for entry in reversed(entries) if entry.kind == "rollback.started").data[
        "reason"
    ]
    error = {"code": "rolled_back", "message": str(reason)}
    ended = NewEntry(kind="run.rolled_back", data={"reason": reason})
    await database.write(lambda tx: driving.finish(tx, driven, ended, error=error))
    log.info("run.rolled_back", run=driven.run)


async def _undo_one(
    undo: Undo, entries: Sequence[Entry], driven: Driven, database: Database, clock: Clock, ids: Ids
) -> bool:
    """Whether the compensation is done; otherwise the lease was given back."""
    number = _attempts(entries, undo) + 1
    began_at = clock.now()
    request_id = f"{driven.run}:{undo.path}:undo"
    begun = NewEntry(
        kind="compensation.begun",
        name=undo.step,
        path=undo.path,
        data={"undo": undo.undo, "attempt": number, "request_id": request_id},
    )
    await database.write(lambda tx: driving.record(tx, driven, [begun]))
    failure = await _call(undo, request_id, number, clock)
    facts = {"attempt": number, "started_at": iso(began_at)}
    if failure is None:
        done = NewEntry(kind="compensation.finished", name=undo.step, path=undo.path, data=facts)
        await database.write(lambda tx: driving.record(tx, driven, [done]))
        return True
    failed = NewEntry(
        kind="compensation.failed",
        name=undo.step,
        path=undo.path,
        data={**facts, "error": failure.to_json()},
    )
    again_at = _again_at(number, clock, ids)
    if again_at is not None:
        await database.write(lambda tx: driving.pause_until(tx, driven, [failed], again_at))
        return False
    stuck = NewEntry(
        kind="compensation.stuck", name=undo.step, path=undo.path, data={"error": failure.to_json()}
    )
    await database.write(lambda tx: driving.stuck(tx, driven, [failed, stuck]))
    log.error("compensation.stuck", run=driven.run, step=undo.step)
    return False


async def _call(undo: Undo, request_id: str, number: int, clock: Clock) -> Failure | None:
    try:
        fn = resolve(undo.undo)
    except ImportError as error:
        return Failure(
            kind="undo_not_found", message=str(error), no_effect=True, is_final=False, cause=error
        )
    args, kwargs = undo.positional, undo.named
    _result, failure = await make(
        Attempt(
            fn=fn,
            args=(undo.result, *args),
            kwargs=kwargs,
            request_id=request_id,
            number=number,
            timeout=TIMEOUT,
        ),
        clock,
    )
    # What a compensation returns is nobody's business; that it is not JSON is no failure.
    return None if failure is not None and failure.kind == "bad_result" else failure


def _attempts(entries: Sequence[Entry], undo: Undo) -> int:
    """How often it failed since it was last retried by hand."""
    failed = 0
    for entry in entries:
        if entry.kind == "compensation.retried":
            failed = 0
        elif entry.kind == "compensation.failed" and entry.path == undo.path:
            failed += 1
    return failed


def _again_at(number: int, clock: Clock, ids: Ids) -> datetime | None:
    delay = next_delay(RETRY, number, jitter=ids.fraction())
    return None if delay is None else clock.now() + delay
