"""What became of each rollback of a run: a report that says the truth while it runs and after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.clock import iso
from engine.store import points, undoing
from engine.store.journal import Entry
from engine.store.steps import StepPicture, pictures

_ENDS = frozenset({"rollback.resumed", "run.rolled_back"})
_DONE = frozenset({"compensation.finished", "compensation.taken_over"})
_CLEANED: Mapping[str, str] = {
    "compensation.finished": "undone: {name}",
    "compensation.taken_over": "undone by hand: {name}",
    "compensation.skipped": "left as it is: {name}",
}
_REHEARSED: Mapping[str, str] = {
    "compensation.finished": "would have been undone: {name}",
    "compensation.skipped": "would have been left as it is: {name}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One rollback. `success` is None until it has ended, and False if anything was left undone.

    `completion` is the share of what was to be undone that is undone, from 0 to 1; `left` names the
    steps that are not. Where it `is_rehearsal`, nothing was there to be undone: it was in a sandbox.
    """

    to: str
    position: int
    mode: str
    reason: str
    by: str | None
    at: datetime
    ended_at: datetime | None
    done: int
    of: int
    left: tuple[str, ...]
    cleanup: tuple[str, ...]
    compensations: tuple[StepPicture, ...]
    is_rehearsal: bool = False

    @property
    def success(self) -> bool | None:
        """Whether all of it is undone."""
        return None if self.ended_at is None else self.done == self.of

    @property
    def completion(self) -> float:
        """How much of it is undone."""
        return 1.0 if self.of == 0 else round(self.done / self.of, 4)

    def headline(self) -> str:
        """The report in one line."""
        verb = "Went back" if self.ended_at is not None else "Going back"
        then = ", and went on" if self.mode == "resume" and self.ended_at is not None else ""
        went = f"{verb} to {said(self.to)}{then}"
        if self.is_rehearsal:
            return f"{went}, as a rehearsal: {self.done} of {self.of} would have been undone"
        return f"{went}: {self.done} of {self.of} undone"

    def to_json(self) -> dict[str, object]:
        """The report as the API shows it."""
        return {
            "to": self.to,
            "position": self.position,
            "mode": self.mode,
            "reason": self.reason,
            "by": self.by,
            "at": iso(self.at),
            "ended_at": None if self.ended_at is None else iso(self.ended_at),
            "success": self.success,
            "completion": self.completion,
            "left": list(self.left),
            "cleanup": list(self.cleanup),
            "compensations": [each.to_json() for each in self.compensations],
        }


def said(to: str) -> str:
    """What people call the place: a checkpoint by its name, or the start."""
    return points.WORDS[points.START] if to == points.START else f"checkpoint {to}"


def reports(journal: Sequence[Entry]) -> list[Report]:
    """Every rollback of the run, the oldest first."""
    starts = [index for index, entry in enumerate(journal) if entry.kind == "rollback.started"]
    ends = [*starts[1:], len(journal)]
    return [_report(journal[: ends[number]], begin) for number, begin in enumerate(starts)]


def lines(journal: Sequence[Entry]) -> tuple[str, ...]:
    """The last rollback in lines that can be shown: how far it came, and each compensation."""
    found = reports(journal)
    if not found:
        return ()
    return (f"{found[-1].headline()}.", *undoing.report(journal))


def _report(journal: Sequence[Entry], begin: int) -> Report:
    started, part = journal[begin], journal[begin:]
    data, is_rehearsal = started.data, undoing.is_rehearsal(journal)
    ended = next((entry for entry in part if entry.kind in _ENDS), None)
    settled = [entry for entry in part if entry.kind in undoing.SETTLED]
    done = sum(entry.kind in _DONE for entry in settled)
    waiting = [undo.step for undo in undoing.plan(journal)] if ended is None else []
    left = [entry.name or "" for entry in settled if entry.kind not in _DONE] + waiting
    return Report(
        to=str(data.get("to", points.START)),
        position=int(data.get("position", 0)),
        mode=str(data.get("mode", "stop")),
        reason=str(data.get("reason", "")),
        by=data.get("by"),
        at=started.at,
        ended_at=None if ended is None else ended.at,
        done=done,
        of=done + len(left),
        left=tuple(left),
        cleanup=(*_cancelled(journal[:begin]), *_cleaned(settled, is_rehearsal=is_rehearsal)),
        compensations=tuple(each for each in pictures(part) if each.kind == "compensation"),
        is_rehearsal=is_rehearsal,
    )


def _cleaned(settled: Sequence[Entry], *, is_rehearsal: bool) -> list[str]:
    words = {**_CLEANED, **_REHEARSED} if is_rehearsal else _CLEANED
    return [words[entry.kind].format(name=entry.name) for entry in settled]


def _cancelled(before: Sequence[Entry]) -> list[str]:
    """The approvals that were cancelled with it: they ended right before it began."""
    found: list[str] = []
    for entry in reversed(before):
        if entry.kind != "approval.decided" or entry.data.get("rule") != "rolled_back":
            break
        found.append(f"cancelled: {_title(before, entry.data['approval'])}")
    return found


def _title(before: Sequence[Entry], approval: str) -> str:
    return next(
        str(entry.data["content"]["title"])
        for entry in reversed(before)
        if entry.kind in {"approval.opened", "approval.edited"}
        and entry.data["approval"] == approval
    )
