"""Steps whose result may be used again: an equal call is answered without being made, and says what that saved."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engine.clock import Clock, iso
from engine.digest import canonical, sha256
from engine.rules.durations import parse_duration
from engine.runtime.pausing import Pausing
from engine.services import reusing
from engine.services.driving import Driven
from engine.services.reusing import Keeping
from engine.store.journal import NewEntry
from signoff.calls import importable_name
from signoff.http import REQUEST

if TYPE_CHECKING:
    from engine.runtime.wanted import Wanted

LONGEST: Final = timedelta(days=90)


class Reusing:
    """The results that one drive takes from earlier runs, and leaves to later ones."""

    def __init__(self, driven: Driven, pausing: Pausing, clock: Clock) -> None:
        self._driven, self._unwritten, self._clock = driven, pausing.unwritten, clock
        self._run, self._is_sandbox = pausing.claim.run, pausing.claim.sandbox is not None

    async def answer(self, wanted: "Wanted") -> NewEntry | None:
        """The end of the step where an equal call's result is kept; it costs nothing, and is not yet journaled.

        Only a step of which nothing is journaled is answered so: once begun, it is done.
        """
        keeping = self._keeping(wanted)
        if keeping is None or wanted.known:
            return None
        found = await self._unwritten.database.read(lambda tx: reusing.answer(tx, keeping))
        if found is None:
            return None
        facts: dict[str, object] = {
            "attempt": 1,
            "started_at": iso(self._clock.now()),
            "result": found.result,
            "reused": {"run": found.run, "at": iso(found.made_at)},
        }
        if found.cost:
            facts["saved"] = found.cost
        return wanted.entry("step.finished", facts)

    async def keep(self, wanted: "Wanted", finished: NewEntry) -> bool:
        """Journal the step's end and keep its result for equal calls; False if it is not to be kept."""
        keeping = self._keeping(wanted)
        if keeping is None:
            return False
        token = self._driven.token
        await self._unwritten.write(
            lambda tx, before: reusing.keep(tx, keeping, [*before, finished], token=token)
        )
        return True

    def _keeping(self, wanted: "Wanted") -> Keeping | None:
        """Raises TypeError where the step has an effect that is not its result."""
        wish, call, run = wanted.options.reuse, wanted.call, self._run
        if wish is None:
            return None
        if call.undo is not None or call.fn is REQUEST:
            raise TypeError("A step with an undo, or a request, is never answered by reuse=.")
        keep_for = parse_duration(wish) if isinstance(wish, str) else wish
        if not timedelta(0) < keep_for <= LONGEST:
            raise ValueError(f"reuse= is from 1s to {LONGEST.days}d.")
        if self._is_sandbox:
            return None  # its answers are nobody's results
        arguments = call.to_json()["arguments"]
        about = [run.workflow, run.version, importable_name(call.fn), arguments]
        key = sha256(canonical(about))
        return Keeping(tenant=run.tenant, run=run.id, key=key, keep_for=keep_for)
