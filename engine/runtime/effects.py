"""Effects of which nobody knows whether they happened: the step's probe is asked, and then the operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn

import structlog

from engine.clock import Clock, iso
from engine.rules.states import WaitingReason
from engine.runtime.attempts import PROBE, Attempt, Failure, called, dumped
from engine.runtime.memory import last
from engine.runtime.pausing import Pausing
from engine.services import effects
from engine.services.driving import Driven
from engine.store.journal import Entry, NewEntry
from signoff.calls import Call
from signoff.effects import Absent, NoEffect, Present, Unclear
from signoff.options import StepOptions

log = structlog.get_logger("engine.runtime")

PROBE_WITHIN: Final = timedelta(seconds=30)
_ENDS: Final = ("step.begun", "step.failed", "step.finished", "effect.unknown")


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt of which nobody knows how it ended; without a failure, its process died."""

    attempt: int
    started_at: str
    failure: Failure | None = None

    def facts(self) -> dict[str, object]:
        """What is journaled of every attempt."""
        return {"attempt": self.attempt, "started_at": self.started_at}

    def told(self, unclear: str) -> dict[str, object]:
        """What operators are told: why nobody knows, and why the probe does not either."""
        error = {"type": "process_lost", "message": "The process ended before the step did."}
        why = error if self.failure is None else self.failure.to_json()
        return {**self.facts(), "error": why, "unclear": unclear}

    def certain(self) -> Failure:
        """The attempt's failure, now that it is certain to have done nothing."""
        said = "the process ended" if self.failure is None else self.failure.message
        words = f"It did not happen ({said})."
        return Failure(
            kind="did_not_happen",
            message=words,
            no_effect=True,
            is_final=False,
            cause=NoEffect(words) if self.failure is None else self.failure.cause,
        )


def doubt_in(known: Sequence[Entry]) -> Doubt | None:
    """The attempt of an irreversible step that the journal saw begin and not end."""
    begun, newest = last(known, "step.begun"), last(known, *_ENDS)
    if begun is None or newest is None or not begun.data.get("irreversible"):
        return None
    if newest.kind not in {"step.begun", "effect.unknown"}:
        return None
    return Doubt(int(begun.data["attempt"]), iso(begun.at))


async def probed(
    call: Call[object], options: StepOptions, request_id: str, clock: Clock
) -> Present | Absent | Unclear:
    """What the step's probe says, with the result as it is journaled.

    It is unclear where there is no probe, or it fails, or says anything else.
    """
    probe = options.probe
    if probe is None:
        return Unclear("The step has no probe.")
    answer, failure = await called(
        Attempt(
            fn=probe,
            args=(request_id, *call.args),
            kwargs=call.kwargs,
            request_id=request_id,
            number=1,
            timeout=PROBE_WITHIN,
            boundary=PROBE,
        ),
        clock,
    )
    if failure is not None:
        return Unclear(f"Its probe failed: {failure.message}")
    if isinstance(answer, Present):
        return _kept(answer, options)
    if isinstance(answer, Absent | Unclear):
        return answer
    return Unclear(f"Its probe returned a {type(answer).__name__}, which is no answer.")


def _kept(answer: Present, options: StepOptions) -> Present | Unclear:
    try:
        return Present(dumped(answer.result, options.returns))
    except Exception as error:  # border: a type adapter runs the author's serialisers
        return Unclear(f"Its probe found it, with a result that cannot be kept as JSON: {error}")


async def leave_to_operators(driven: Driven, pausing: Pausing, unknown: NewEntry) -> NoReturn:
    """Record that an effect is unknown, tell the operators, and wait: alone it gives the lease back.

    Raises:
        Suspended: always.
    """
    left = effects.Left(
        tenant=driven.tenant, run=driven.run, token=driven.token, is_branch=pausing.is_branch
    )
    entry = pausing.begins(unknown)
    await pausing.unwritten.write(lambda tx, before: effects.unknown(tx, left, [*before, entry]))
    log.error("effect.unknown", run=driven.run, step=unknown.name)
    wait_for_operators(pausing, unknown.path, unknown.data)


def wait_for_operators(
    pausing: Pausing, path: str | None, unknown: Mapping[str, object]
) -> NoReturn:
    """Wait until somebody has settled what the journal says is `unknown` at `path`.

    Raises:
        Suspended: always.
    """
    pausing.until_ended(path or "", str(unknown["request_id"]), WaitingReason.RECONCILE)
