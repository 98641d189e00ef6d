"""What a rollback would undo and what one did: read from a run's journal, newest first."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.ids import RunId
from engine.rules.states import RunStatus
from engine.store import points
from engine.store.journal import Entry

SETTLED: Final = frozenset(
    {"compensation.finished", "compensation.skipped", "compensation.taken_over"}
)
_ENDS: Final = frozenset({"step.finished", "step.failed", "child.ended"})
_LEFT: Final = frozenset({RunStatus.ROLLED_BACK, RunStatus.KILLED})  # children like these stay so
HTTP: Final = "signoff.http:request"  # what stands for an HTTP request
NO_UNDO: Final = "has no undo"
_SAID: Final[Mapping[str, str]] = {
    "compensation.finished": "undone",
    "compensation.skipped": "left as it is",
    "compensation.taken_over": "undone by hand",
    "compensation.stuck": "could not be undone yet",
}
_REHEARSED: Final[Mapping[str, str]] = {
    "compensation.finished": "would have been undone",
    "compensation.skipped": "would have been left as it is",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """One step that can be undone. `is_certain` is False when the step began and its end was lost.

    `terms` are what its author said about the compensation: retries, timeout, whom it needs, whether it
    is irreversible, and its kind.
    """

    path: str
    step: str
    undo: str  # the importable name of its compensation
    positional: tuple[object, ...]
    named: Mapping[str, object]
    result: object
    is_certain: bool
    terms: Mapping[str, Any]
    child: RunId | None = None  # where it is not a step but a run that was started
    fn: str = ""  # the importable name of what the step called

    @property
    def kind(self) -> str:
        """What its author calls it; else `http` for a request, `child` for a run, and `step`."""
        if self.child is not None:
            return "child"
        return str(self.terms.get("kind") or ("http" if self.fn == HTTP else "step"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying:
    """One step that stays done, and why."""

    step: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rollback would do: back to where, what is undone newest first, and what stays."""

    to: points.Point
    undoes: tuple[Undo, ...]
    stays: tuple[Staying, ...]

    def to_json(self) -> dict[str, object]:
        """The plan as the API shows it."""
        return {
            "to": self.to.name,
            "position": self.to.position,
            "undoes": [
                {
                    "step": undo.step,
                    "undo": undo.undo,
                    "kind": undo.kind,
                    "needs": undo.terms.get("needs"),
                }
                for undo in self.undoes
            ],
            "stays": [{"step": each.step, "why": each.why} for each in self.stays],
        }


def plan(journal: Sequence[Entry], *, to: str | None = None) -> list[Undo]:
    """The compensations of every begun step that has one, newest first; finished ones are left out.

    So is what runs did that this one started.

    Newest is what ended last, wherever in the run it did, and before all others what has not ended.
    While a rollback is under way they are those that it has still to do; otherwise those of a rollback
    to `to`, by default the last approved checkpoint. A step that failed is left out only if none of
    its attempts can have done anything: each of them said so, and none was lost in a crash.

    Raises:
        Invalid: `unknown_checkpoint`, if there is no such place.
    """
    alive = points.live(journal)
    order = points.under_way(alive)
    if order is None:
        return _after(alive, points.target(alive, to).position)
    only, kinds = order.data.get("only"), order.data.get("kinds")
    found = _after(alive, int(order.data.get("position", 0)))
    return [
        undo
        for undo in found
        if (only is None or undo.step in only) and (kinds is None or undo.kind in kinds)
    ]


def whole_plan(journal: Sequence[Entry], *, to: str | None = None) -> Plan:
    """What a rollback to `to` would undo now, and what it would leave as it is.

    While one is under way, it is what that has still to do.

    Raises:
        Invalid: `unknown_checkpoint`, if there is no such place.
    """
    alive = points.live(journal)
    order = points.under_way(alive)
    if order is None:
        point = points.target(alive, to)
    else:
        said = order.data
        point = points.Point(name=str(said.get("to")), position=int(said.get("position", 0)))
    return Plan(
        to=point,
        undoes=tuple(plan(alive, to=to)),
        stays=tuple(_staying(alive, point)),
    )


def final(journal: Sequence[Entry], point: points.Point) -> tuple[str, ...]:
    """The irreversible steps without an undo that were done after `point`, or may have been.

    A run that goes on from there would do them again, under another request id.
    """
    alive = [entry for entry in points.live(journal) if entry.position > point.position]
    names: dict[str | None, str] = {}
    for entry in alive:
        if entry.kind == "step.begun" and entry.data.get("irreversible"):
            if entry.data.get("undo") is None:
                names[entry.path] = entry.name or ""
        elif entry.kind == "step.failed" and entry.data.get("no_effect"):
            names.pop(entry.path, None)  # until it is begun once more
    return tuple(names.values())


def is_under_way(journal: Sequence[Entry]) -> bool:
    """Whether the run is going back and has not come to an end of it."""
    return points.under_way(journal) is not None


def planned(journal: Sequence[Entry], *, to: str | None = None) -> tuple[str, ...]:
    """The names of the steps that a rejection would undo now, newest first."""
    return tuple(undo.step for undo in plan(journal, to=to))


def is_rehearsal(journal: Sequence[Entry]) -> bool:
    """Whether it is the journal of a run in a sandbox, of which nothing was done and nothing is undone."""
    return any("sandbox" in entry.data for entry in journal[:1])


def report(journal: Sequence[Entry]) -> tuple[str, ...]:
    """One sentence for each compensation that was tried, in the order they ran; in a sandbox what it would be."""
    if not any(entry.kind == "rollback.started" for entry in journal):
        return ()
    words = _SAID if not is_rehearsal(journal) else {**_SAID, **_REHEARSED}
    said = ((entry, words.get(_became(entry))) for entry in journal)
    return tuple(f"{entry.name}: {became}" for entry, became in said if became)


def _became(entry: Entry) -> str:
    if entry.kind == "child.undone":
        is_undone = entry.data["status"] == RunStatus.ROLLED_BACK
        return "compensation.finished" if is_undone else "compensation.skipped"
    return entry.kind


def _after(alive: Sequence[Entry], position: int) -> list[Undo]:
    begun = {
        entry.path: entry
        for entry in alive
        if entry.kind == "step.begun" and entry.position > position
    }
    ended = {entry.path: entry for entry in alive if entry.kind == "step.finished"}
    settled = {entry.path for entry in alive if entry.kind in SETTLED}
    failures = _failures(alive)
    over = {entry.path: entry.position for entry in alive if entry.kind in _ENDS}
    never = alive[-1].position + 1 if alive else 0
    found: list[tuple[int, int, Undo]] = []
    for path, entry in begun.items():
        undo, end = entry.data.get("undo"), ended.get(path)
        if not isinstance(undo, str) or path is None or path in settled:
            continue
        if end is None and failures[path] and all(failures[path]):
            continue
        found.append((over.get(path, never), entry.position, _undo(path, entry, end)))
    for entry, undo in _children(alive, position):
        found.append((over.get(undo.path, never), entry.position, undo))
    return [undo for *_, undo in sorted(found, key=lambda each: each[:2], reverse=True)]


def _children(alive: Sequence[Entry], position: int) -> Iterator[tuple[Entry, Undo]]:
    over = {entry.path: entry.data["status"] for entry in alive if entry.kind == "child.ended"}
    undone = {entry.path for entry in alive if entry.kind == "child.undone"}
    for entry in alive:
        path = entry.path
        if entry.kind != "child.started" or entry.position <= position or path is None:
            continue
        if path in undone or over.get(path) in _LEFT:
            continue
        yield (
            entry,
            Undo(
                path=path,
                step=entry.name or "",
                undo="",
                positional=(),
                named={},
                result=None,
                is_certain=path in over,
                terms={},
                child=RunId(str(entry.data["child"])),
            ),
        )


def _failures(alive: Sequence[Entry]) -> defaultdict[str | None, list[bool]]:
    """Of each step, attempt by attempt, whether it certainly did nothing."""
    failures: defaultdict[str | None, list[bool]] = defaultdict(list)
    under_way: set[str | None] = set()
    for entry in alive:
        if entry.kind == "step.begun":
            # An attempt may have had its effect until its own end is known; one that was lost has none.
            failures[entry.path].append(False)
            under_way.add(entry.path)
        elif entry.kind == "step.failed":
            if entry.path in under_way:
                failures[entry.path].pop()
                under_way.discard(entry.path)
            failures[entry.path].append(bool(entry.data.get("no_effect")))
    return failures


def _undo(path: str, begun: Entry, end: Entry | None) -> Undo:
    arguments: Any = begun.data["arguments"]
    return Undo(
        path=path,
        step=begun.name or "",
        undo=str(begun.data["undo"]),
        positional=tuple(arguments["args"]),
        named=arguments["kwargs"],
        result=None if end is None else end.data.get("result"),
        is_certain=end is not None,
        terms=begun.data.get("undo_terms") or {},
        fn=str(begun.data.get("fn", "")),
    )


def _staying(alive: Sequence[Entry], point: points.Point) -> list[Staying]:
    begun = {entry.path: entry for entry in alive if entry.kind == "step.begun"}
    found: list[Staying] = []
    for entry in reversed(alive):
        if entry.kind != "step.finished":
            continue
        facts: Mapping[str, Any] = begun[entry.path].data if entry.path in begun else {}
        has_undo = isinstance(facts.get("undo"), str)
        if entry.position > point.position and not has_undo:
            why = "cannot be undone" if facts.get("irreversible") else NO_UNDO
            found.append(Staying(step=entry.name or "", why=why))
        elif entry.position <= point.position and has_undo:
            found.append(Staying(step=entry.name or "", why=f"was done before {point.name}"))
    return found
