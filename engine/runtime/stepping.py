"""Steps: answered from the journal, or begun, attempted, and recorded with their outcome."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn, assert_never

from engine.clock import Clock, iso
from engine.ids import Ids
from engine.rules.retry import Retry, next_delay, parse_retries
from engine.runtime.attempts import Attempt, Failure, loaded, make
from engine.runtime.beginnings import Beginning, length_of
from engine.runtime.calling import Caller
from engine.runtime.effects import Doubt, doubt_in, leave_to_operators, probed, wait_for_operators
from engine.runtime.memory import last
from engine.runtime.pausing import Pausing
from engine.runtime.reusing import Reusing
from engine.runtime.sandboxing import marks_of, sandbox_of
from engine.runtime.sent import sent
from engine.runtime.spending import Spending
from engine.runtime.wanted import Wanted
from engine.services.driving import Driven
from engine.store.journal import Entry, NewEntry
from signoff.effects import Absent, Present, Unclear
from signoff.options import StepOptions
from signoff.outcomes import StepFailed

NO_EFFECT_ATTEMPTS = 3  # a failure that certainly did nothing is tried again even when not asked to


class Stepper:
    """Performs the steps of one drive."""

    def __init__(
        self, driven: Driven, pausing: Pausing, clock: Clock, ids: Ids, caller: Caller
    ) -> None:
        self._driven, self._pausing, self._clock, self._ids = driven, pausing, clock, ids
        self._unwritten, self._caller = pausing.unwritten, caller
        self._spending = Spending(driven, pausing)
        self._beginning = Beginning(driven, pausing)
        self._reusing = Reusing(driven, pausing, clock)
        self._sandbox = sandbox_of(pausing.claim)
        self._marks = marks_of(pausing.claim)

    def of_branch(self) -> "Stepper":
        """The same for a branch of the run."""
        pausing = self._pausing.of_branch()
        branch = type(self)(self._driven, pausing, self._clock, self._ids, self._caller)
        branch._spending = self._spending.of_branch(pausing)
        return branch

    async def step(self, wanted: Wanted) -> object:
        """The step's result.

        Raises:
            StepFailed: if it is recorded as failed for good, or fails so now.
            BadRule: `bad_retries`, if its retries are none.
            Suspended: if it is to be tried again later.
        """
        if wanted.options.retries is not None:
            parse_retries(
                wanted.options.retries
            )  # what is no rule is refused before anything happens
        finished = last(wanted.known, "step.finished")
        if finished is not None:
            return loaded(finished.data["result"], wanted.options.returns)
        failed = last(wanted.known, "step.failed")
        if failed is not None and failed.data["is_final"]:
            _raise_recorded(failed)
        number = 1 + sum(entry.kind == "step.failed" for entry in wanted.known)
        if self._sandbox is None and (doubt := doubt_in(wanted.known)) is not None:
            return await self._resolve(wanted, doubt)
        if (answered := await self._reusing.answer(wanted)) is not None:
            return self._answered(wanted, answered)
        await self._until_due(wanted, number)
        await self._spending.begun(wanted, number, lambda asks: self._begin(wanted, number, asks))
        return await self._attempt(wanted, number)

    def _answered(self, wanted: Wanted, finished: NewEntry) -> object:
        self._unwritten.add_soon(finished)
        return loaded(finished.data["result"], wanted.options.returns)

    async def _begin(self, wanted: Wanted, number: int, asks: Mapping[str, object] | None) -> None:
        await self._beginning.begun(wanted, number, asks)

    async def _until_due(self, wanted: Wanted, number: int) -> None:
        """Return once the step may be tried, and its target called.

        Raises:
            Suspended: if it is too early, or the target rests. That is no attempt: nothing was sent.
        """
        if wanted.known and (waits := wanted.known[-1]).kind == "step.retry_scheduled":
            tried = wanted.entry("step.retried", {"attempt": waits.data["attempt"]})
            await self._pausing.over(waits, tried)
        again_at = None if self._sandbox else await self._caller.again_at(wanted.call)
        if again_at is None:
            return
        resting = {"attempt": number, "until": iso(again_at), "because": "target_rests"}
        await self._pausing.until(again_at, wanted.entry("step.retry_scheduled", resting))

    async def _attempt(self, wanted: Wanted, number: int) -> object:
        await self._caller.demand_lease()
        began = self._clock.now()
        said: list[Mapping[str, object]] = []
        options, call = wanted.options, wanted.call
        result, failure = await make(
            Attempt(
                fn=self._deed(wanted),
                args=call.args,
                kwargs=call.kwargs,
                request_id=wanted.key(self._driven.run),
                number=number,
                timeout=length_of(options.timeout),
                returns=options.returns,
                said=said,
            ),
            self._clock,
        )
        took = self._clock.now() - began
        if failure is not None:
            failure = failure.as_declared(options.retries)
        if failure is not None and self._is_unknown(wanted, failure):
            return await self._resolve(wanted, Doubt(number, iso(began), failure))
        spent, failure = self._spending.spent(wanted, said, failure, took=took)
        told = {**spent, **self._sent(wanted), **self._marks}
        made = {"attempt": number, "started_at": iso(began), **told}
        if failure is not None:
            await self._fail(wanted, made, failure)
        facts = {**made, "result": result}
        finished = wanted.entry("step.finished", facts)
        if not await self._reusing.keep(wanted, finished):
            self._unwritten.add_soon(finished)
        return loaded(result, options.returns)

    def _deed(self, wanted: Wanted) -> Callable[..., object]:
        if self._sandbox is not None:
            return self._sandbox.stand_in(wanted)
        return self._caller.sender(wanted.call, wanted.sending, wanted.path)

    def _is_unknown(self, wanted: Wanted, failure: Failure) -> bool:
        # What failed for good has told how it ended: the target declined, or the result was no JSON.
        return wanted.options.irreversible and not (failure.no_effect or failure.is_final)

    async def _resolve(self, wanted: Wanted, doubt: Doubt) -> object:
        """The result of an attempt of which nobody knows how it ended, where its probe knows it."""
        call, options, key = wanted.call, wanted.options, wanted.key(self._driven.run)
        newest = wanted.known[-1] if wanted.known else None
        if self._pausing.is_branch and newest is not None and newest.kind == "effect.unknown":
            wait_for_operators(self._pausing, wanted.path, newest.data)  # the others went on
        answer = await probed(call, options, key, self._clock)
        said = {"by": "probe", "request_id": key, "attempt": doubt.attempt}
        match answer:
            case Present():
                settled = wanted.entry("effect.settled", {**said, "outcome": "happened"})
                facts = {**doubt.facts(), "result": answer.result}
                await self._unwritten.record(settled, wanted.entry("step.finished", facts))
                return loaded(answer.result, options.returns)
            case Absent():
                settled = wanted.entry("effect.settled", {**said, "outcome": "did_not_happen"})
                self._unwritten.add(settled)
                return await self._fail(wanted, doubt.facts(), doubt.certain())
            case Unclear():
                unknown = {**said, **doubt.told(answer.reason)}
                entry = wanted.entry("effect.unknown", unknown)
                return await leave_to_operators(self._driven, self._pausing, entry)
            case _:
                assert_never(answer)

    async def _fail(self, wanted: Wanted, made: dict[str, Any], failure: Failure) -> NoReturn:
        number: int = made["attempt"]
        again_at = self._again_at(wanted.options, failure, number)
        facts = {
            **made,
            "error": failure.to_json(),
            "no_effect": failure.no_effect,
            "is_final": again_at is None,
        }
        failed = wanted.entry("step.failed", facts)
        if again_at is None:
            self._unwritten.add_soon(failed)
            raise StepFailed(
                failure.message, step=wanted.name, attempts=number, kind=failure.kind
            ) from failure.cause
        when = {"attempt": number + 1, "until": iso(again_at)}
        await self._pausing.until(again_at, failed, wanted.entry("step.retry_scheduled", when))

    def _again_at(self, options: StepOptions, failure: Failure, number: int) -> datetime | None:
        if failure.is_final:
            return None
        retry = Retry(attempts=NO_EFFECT_ATTEMPTS if failure.no_effect else 1)
        if options.retries is not None:
            retry = parse_retries(options.retries)
        if not retry.is_for(failure.classes, did_nothing=failure.no_effect):
            return None
        delay = next_delay(retry, number, jitter=self._ids.fraction())
        return None if delay is None else self._clock.now() + delay

    def _sent(self, wanted: Wanted) -> Mapping[str, object]:
        """What it was given, where neither a beginning nor an earlier attempt has told it."""
        is_told = any("arguments" in entry.data for entry in wanted.known)
        return {} if is_told or not wanted.is_ordinary else sent(wanted.call, self._caller.secrets)


def _raise_recorded(failed: Entry) -> NoReturn:
    error, attempts = failed.data["error"], failed.data["attempt"]
    raise StepFailed(
        error["message"], step=failed.name or "", attempts=attempts, kind=error["type"]
    )
