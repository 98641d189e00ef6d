"""Places in a run's journal to which it can go back, and what is left of a journal that went back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.errors import Invalid
from engine.store.journal import Entry

START: Final = "start"
LATEST: Final = "latest"
APPROVED: Final = "approved"
FAILURE: Final = "failure"
WORDS: Final[Mapping[str, str]] = {
    START: "the start",
    LATEST: "the latest checkpoint",
    APPROVED: "the last approved checkpoint",
    FAILURE: "the step that failed",
}
_GIVEN: Final = frozenset({"approved", "continued"})
_ENDS: Final = frozenset(
    {"rollback.resumed", "run.rolled_back", "run.failed", "run.cancelled", "run.killed"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A position up to which everything stays, and what people call it."""

    name: str
    position: int
    artifact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A rollback after which the run went on: from where, and why."""

    position: int
    reason: str
    is_automatic: bool


def live(journal: Sequence[Entry]) -> list[Entry]:
    """The journal without what a run left behind when it went back and then on again.

    Those lines stay in the journal for ever; the run's code is no longer answered from them.
    """
    kept: list[Entry] = []
    for entry in journal:
        if entry.kind == "rollback.resumed":
            position = int(entry.data["position"])
            kept = [each for each in kept if each.position <= position]
        kept.append(entry)
    return kept


def checkpoints(journal: Sequence[Entry]) -> list[Point]:
    """The checkpoints that the run can still go back to, oldest first.

    One that was made inside a branch is none of them: the other branches were anywhere then.
    """
    return [
        Point(name=entry.name or "", position=entry.position, artifact=entry.data.get("artifact"))
        for entry in live(journal)
        if entry.kind == "checkpoint.created" and "." not in _place(entry)
    ]


def target(journal: Sequence[Entry], to: str | None = None) -> Point:
    """The place that `to` names: a checkpoint by its name or address, or one of `WORDS`.

    Without `to` it is the last checkpoint after which an approval was given, else the start. Of
    checkpoints of one name the newest is meant, and a checkpoint's name goes before a word.

    Raises:
        Invalid: `unknown_checkpoint`, naming those there are.
    """
    known = checkpoints(journal)
    wanted = (to or APPROVED).removeprefix("artifact:")
    for point in reversed(known):
        if wanted in {point.name, point.artifact}:
            return point
    match wanted:
        case "start":
            return Point(name=START, position=0)
        case "latest":
            return known[-1] if known else Point(name=START, position=0)
        case "approved":
            return approved(journal)
        case "failure":
            return _before_failure(journal)
        case _:
            names = ", ".join(dict.fromkeys(point.name for point in known)) or "none"
            raise Invalid(
                f"This run has no checkpoint {wanted!r}; it has: {names}. It can also go back to "
                f"{START}, {LATEST} or {APPROVED}.",
                code="unknown_checkpoint",
            )


def approved(journal: Sequence[Entry]) -> Point:
    """The last checkpoint after which an approval was given, else the start."""
    given = [
        entry.position
        for entry in live(journal)
        if entry.kind == "approval.decided" and entry.data.get("outcome") in _GIVEN
    ]
    last = max(given, default=-1)
    before = [point for point in checkpoints(journal) if point.position < last]
    return before[-1] if before else Point(name=START, position=0)


def under_way(journal: Sequence[Entry]) -> Entry | None:
    """The beginning of the rollback that has not ended yet; None where there is none."""
    found: Entry | None = None
    for entry in journal:
        if entry.kind == "rollback.started":
            found = entry
        elif entry.kind in _ENDS:
            found = None
    return found


def resumptions(journal: Sequence[Entry]) -> Iterator[Resumption]:
    """Every time that the run went back and then on again, the oldest first."""
    return (
        Resumption(
            position=int(entry.data["position"]),
            reason=str(entry.data["reason"]),
            is_automatic=entry.data.get("by") is None,
        )
        for entry in journal
        if entry.kind == "rollback.resumed"
    )


def _place(entry: Entry) -> str:
    return str(entry.path or entry.data.get("place") or "")


def _before_failure(journal: Sequence[Entry]) -> Point:
    kept = live(journal)
    failed = [
        entry.path for entry in kept if entry.kind == "step.failed" and entry.data["is_final"]
    ]
    first = next(
        (entry for entry in kept if failed and entry.path == failed[-1]),
        None,
    )
    if first is None:
        raise Invalid("No step of this run failed for good.", code="unknown_checkpoint")
    return Point(name=f"before {first.name}", position=first.position - 1)
