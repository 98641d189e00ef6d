"""A step that the code asks for, with what the journal holds of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.ids import RunId
from engine.runtime.calling import NOTHING_ALONG, Sending
from engine.store.journal import Entry, NewEntry
from signoff.calls import Call, stated_name
from signoff.options import StepOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One step that the code asks for. `known` is what the journal holds at its path."""

    path: str
    call: Call[object]
    options: StepOptions
    known: Sequence[Entry]
    sending: Sending = NOTHING_ALONG

    @property
    def name(self) -> str:
        """What the step is called in the journal."""
        return name_of(self.call, self.options)

    @property
    def is_ordinary(self) -> bool:
        """Whether nothing depends on its beginning, so that only its end is journaled."""
        options = self.options
        return self.call.undo is None and options.approved is None and not options.irreversible

    def key(self, run: RunId) -> str:
        """Its request id in `run`, the same whenever it is tried."""
        return self.options.request_id or f"{run}:{self.path}"

    def entry(self, kind: str, data: Mapping[str, object]) -> NewEntry:
        """A line of the journal about this step."""
        return NewEntry(kind=kind, name=self.name, path=self.path, data=data)


def name_of(call: Call[object], options: StepOptions) -> str:
    """What a step is called in the journal: as it was named, or as its function is."""
    return options.name or stated_name(call.fn).rpartition(":")[2]
