"""Steps: answered from the journal, or begun, attempted, and recorded with their outcome."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from engine.clock import Clock, iso
from engine.ids import Ids
from engine.rules.durations import parse_duration
from engine.rules.retry import Retry, next_delay
from engine.runtime.attempts import Attempt, Failure, loaded, make
from engine.runtime.memory import last
from engine.runtime.signals import Suspended
from engine.services import driving
from engine.services.driving import Driven, Permit
from engine.store.database import Database
from engine.store.journal import Entry, NewEntry
from signoff.calls import Call, check_arguments, importable_name, stated_name
from signoff.options import StepOptions
from signoff.outcomes import StepFailed

NO_EFFECT_ATTEMPTS = 3  # a failure that certainly did nothing is tried again even when not asked to


class Stepper:
    """Performs the steps of one drive."""

    def __init__(self, driven: Driven, database: Database, clock: Clock, ids: Ids) -> None:
        self._driven, self._database, self._clock, self._ids = driven, database, clock, ids

    @staticmethod
    def name_of(call: Call[object], options: StepOptions) -> str:
        """What the step is called in the journal."""
        return options.name or stated_name(call.fn).rpartition(":")[2]

    async def step(
        self,
        path: str,
        call: Call[object],
        options: StepOptions,
        known: Sequence[Entry],
        unwritten: Callable[[], list[NewEntry]],
    ) -> object:
        """The step's result.

        Raises:
            StepFailed: if it is recorded as failed for good, or fails so now.
            Suspended: if it is to be tried again later.
        """
        finished = last(known, "step.finished")
        if finished is not None:
            return loaded(finished.data["result"], options.returns)
        failed = last(known, "step.failed")
        if failed is not None and failed.data.get("is_final"):
            _raise_recorded(failed)
        number = 1 + sum(entry.kind == "step.failed" for entry in known)
        if not any(entry.kind == "step.begun" for entry in known):
            await self._begin(path, call, options, unwritten)
        elif number > 1:
            await self._resume_after_failure(path, call, options, known, number)
        return await self._attempt(path, call, options, number, unwritten)

    async def _begin(
        self,
        path: str,
        call: Call[object],
        options: StepOptions,
        unwritten: Callable[[], list[NewEntry]],
    ) -> None:
        check_arguments(call.fn, call.args, call.kwargs)
        if call.undo is None and options.approved is None:
            return  # nothing depends on its beginning: its end says it all
        approved = options.approved
        arguments = call.to_json()["arguments"]
        begun = NewEntry(
            kind="step.begun",
            name=self.name_of(call, options),
            path=path,
            data={
                "fn": importable_name(call.fn),
                "arguments": arguments,
                "request_id": self._key(path, options),
                "undo": None if call.undo is None else importable_name(call.undo),
                "approval": None if approved is None else approved.approval,
            },
        )
        before = unwritten()
        if before:
            await self._database.write(lambda tx: driving.record(tx, self._driven, before))
        if approved is None:
            await self._database.write(lambda tx: driving.record(tx, self._driven, [begun]))
        else:
            permit = Permit(approval=approved.approval, digest=approved.digest, call=call.to_json())
            await self._database.write(lambda tx: driving.dispatch(tx, self._driven, begun, permit))

    async def _resume_after_failure(
        self,
        path: str,
        call: Call[object],
        options: StepOptions,
        known: Sequence[Entry],
        number: int,
    ) -> None:
        scheduled = last(known, "step.retry_scheduled", "step.retried")
        if scheduled is not None and scheduled.kind == "step.retry_scheduled":
            entry = NewEntry(
                kind="step.retried",
                name=self.name_of(call, options),
                path=path,
                data={"attempt": number},
            )
            await self._database.write(lambda tx: driving.record(tx, self._driven, [entry]))

    async def _attempt(
        self,
        path: str,
        call: Call[object],
        options: StepOptions,
        number: int,
        unwritten: Callable[[], list[NewEntry]],
    ) -> object:
        started_at = self._clock.now()
        attempt = Attempt(
            fn=call.fn,
            args=call.args,
            kwargs=call.kwargs,
            request_id=self._key(path, options),
            number=number,
            timeout=_timeout(options),
            returns=options.returns,
        )
        result, failure = await make(attempt, self._clock)
        name, facts = (
            self.name_of(call, options),
            {"attempt": number, "started_at": iso(started_at)},
        )
        if failure is None:
            entry = NewEntry(
                kind="step.finished", name=name, path=path, data={**facts, "result": result}
            )
            entries = [*unwritten(), entry]
            await self._database.write(lambda tx: driving.record(tx, self._driven, entries))
            return loaded(result, options.returns)
        await self._fail(path, name, options, failure, facts, unwritten())

    async def _fail(
        self,
        path: str,
        name: str,
        options: StepOptions,
        failure: Failure,
        facts: dict[str, object],
        before: list[NewEntry],
    ) -> NoReturn:
        number = int(str(facts["attempt"]))
        again_at = self._again_at(options, failure, number)
        failed = NewEntry(
            kind="step.failed",
            name=name,
            path=path,
            data={
                **facts,
                "error": failure.to_json(),
                "no_effect": failure.no_effect,
                "is_final": again_at is None,
            },
        )
        if again_at is None:
            await self._database.write(
                lambda tx: driving.record(tx, self._driven, [*before, failed])
            )
            raise StepFailed(failure.message, step=name, attempts=number) from failure.cause
        scheduled = NewEntry(
            kind="step.retry_scheduled",
            name=name,
            path=path,
            data={"attempt": number + 1, "until": iso(again_at)},
        )
        await self._database.write(
            lambda tx: driving.pause_until(tx, self._driven, [*before, failed, scheduled], again_at)
        )
        raise Suspended

    def _again_at(self, options: StepOptions, failure: Failure, number: int) -> datetime | None:
        attempts = 1 + (options.retries or 0)
        if failure.no_effect and options.retries is None:
            attempts = NO_EFFECT_ATTEMPTS
        if failure.is_final:
            return None
        delay = next_delay(Retry(attempts=attempts), number, jitter=self._ids.fraction())
        return None if delay is None else self._clock.now() + delay

    def _key(self, path: str, options: StepOptions) -> str:
        return options.request_id or f"{self._driven.run}:{path}"


def _timeout(options: StepOptions) -> timedelta | None:
    wanted = options.timeout
    return parse_duration(wanted) if isinstance(wanted, str) else wanted


def _raise_recorded(failed: Entry) -> NoReturn:
    error = failed.data.get("error")
    message = str(error.get("message")) if isinstance(error, dict) else "It failed."
    attempts = failed.data.get("attempt")
    raise StepFailed(
        message, step=failed.name or "", attempts=attempts if isinstance(attempts, int) else 1
    )
