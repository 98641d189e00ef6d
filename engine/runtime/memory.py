"""What a run's journal answers on replay: the entries of each call path, and whether the code still fits."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from engine.errors import WorkflowChanged
from engine.ids import RunId
from engine.runtime.texts import Texts
from engine.store import points
from engine.store.journal import Entry

_AGAIN: Final = "~"  # between a path and how often the run had gone back when it was asked

ASKED = frozenset(
    {
        "step.begun",
        "step.finished",
        "step.failed",
        "step.retry_scheduled",
        "approval.opened",
        "sleep.started",
        "value.recorded",
        "checkpoint.created",
        "branches.begun",
        "child.started",
    }
)


class Memory:
    """The journal by call path. Every path that the code asks for is ticked off.

    What a run left behind when it went back answers nothing any more: what is asked there is asked
    anew, under a path of its own.
    """

    def __init__(self, run: RunId, entries: Sequence[Entry]) -> None:
        self._run = run
        self._paths: defaultdict[str, list[Entry]] = defaultdict(list)
        self._resumptions = list(points.resumptions(entries))
        self._reasons: dict[str, str] = {}
        for entry in points.live(entries):
            if entry.path is not None and not entry.kind.startswith("compensation."):
                self._paths[entry.path].append(entry)
        self._places = {_base(path): path for path in self._paths}
        self._unasked = {
            path
            for path, found in self._paths.items()
            if any(entry.kind in ASKED for entry in found)
        }

        self._patches = {entry.name for entry in entries if entry.kind == "patch.recorded"}

    def place(self, base: str) -> str:
        """The path of what the code asks for at `base`: where it was answered, else a new one."""
        times = len(self._resumptions)
        return self._places.get(base) or (f"{base}{_AGAIN}{times}" if times else base)

    async def read(self, texts: Texts) -> None:
        """Know from here on what people wrote in the reasons for which the run went back."""
        for each in self._resumptions:
            self._reasons[each.reason] = await texts.opened(each.reason)

    @property
    def feedback(self) -> str | None:
        """Why the run last went back to where its code is now or earlier; None where it never did."""
        waiting = [self._paths[path][0].position for path in self._unasked]
        first = min(waiting, default=None)
        passed = (
            self._reasons.get(each.reason, each.reason)
            for each in reversed(self._resumptions)
            if first is None or first > each.position
        )
        return next(passed, None)

    def has_patch(self, name: str) -> bool:
        """Whether the run went along with the change `name` when it came there."""
        return name in self._patches

    def goes_beyond(self, path: str) -> bool:
        """Whether the run has been at `path` or further before, so that its code is being replayed there."""
        lane, _, index = path.rpartition(".")
        prefix = f"{lane}." if lane else ""
        is_beyond = any(
            each.startswith(prefix) and _index(each[len(prefix) :]) >= int(index)
            for each, found in self._paths.items()
            if any(entry.kind in ASKED for entry in found)
        )
        # Where the run is behind its branches, this one has ended with them.
        return is_beyond or bool(lane and self.goes_beyond(_following(lane)))

    def forget(self, prefix: str) -> None:
        """Whatever is asked at a path with this prefix need not be asked again: that branch was ended."""
        self._unasked = {path for path in self._unasked if not path.startswith(prefix)}

    def learn(self, path: str, entries: Sequence[Entry]) -> None:
        """Add what the journal says of `path` by now."""
        self._paths[path].extend(entries)

    def recall(self, path: str, *, kind: str, name: str) -> Sequence[Entry]:
        """The entries at `path`, which the code asks for as a `kind` called `name`.

        Raises:
            WorkflowChanged: if the journal holds something else there.
        """
        self._unasked.discard(path)
        found = self._paths.get(path, [])
        first = next((entry for entry in found if entry.kind in ASKED), None)
        if first is not None:
            recorded = f"{first.kind.partition('.')[0]} {first.name!r}"
            requested = f"{kind} {name!r}"
            if recorded != requested:
                raise WorkflowChanged(self._run, path, recorded=recorded, requested=requested)
        return found

    def check_all_asked(self) -> None:
        """Return if the code asked for everything that the journal remembers.

        Raises:
            WorkflowChanged: if it ended without asking for a recorded path.
        """
        for path in sorted(self._unasked, key=len):
            first = next(entry for entry in self._paths[path] if entry.kind in ASKED)
            recorded = f"{first.kind.partition('.')[0]} {first.name!r}"
            raise WorkflowChanged(self._run, path, recorded=recorded, requested="nothing more")


def _following(lane: str) -> str:
    """The path at which the code goes on behind the branch `lane` and its siblings."""
    place = lane.rpartition(".")[0]
    before, dot, index = place.rpartition(".")
    return f"{before}{dot}{_index(index) + 1}"


def _index(path: str) -> int:
    return int(_base(path.partition(".")[0]))


def _base(path: str) -> str:
    base, again, times = path.rpartition(_AGAIN)
    return base if again and times.isdigit() else path


def last(entries: Sequence[Entry], *kinds: str) -> Entry | None:
    """The newest of `entries` that is one of `kinds`."""
    return next((entry for entry in reversed(entries) if entry.kind in kinds), None)
