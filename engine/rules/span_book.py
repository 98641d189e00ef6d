"""A run as a trace: spans made from its journal alone, so that everybody makes the same ones, ids included."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from engine.rules.costs import parse_amounts, total
from engine.rules.spans import Fact, Happening, Posted, Span, Subject
from engine.rules.threads import span_id
from engine.rules.wording import is_table

HAPPENINGS_MAX: Final = (
    128  # on one span, as OpenTelemetry has it by default; what came later is counted
)
ENDS: Final[Mapping[str, str]] = {
    f"run.{how}": how for how in ("completed", "failed", "rolled_back", "cancelled", "killed")
}
# What opens a span, or goes on with one, and what it is called there.
_OPENS: Final[Mapping[str, str]] = {
    "step.begun": "step",
    "step.retried": "step",
    "step.retry_scheduled": "step",
    "effect.unknown": "step",
    "effect.settled": "step",
    "budget.reserved": "step",
    "budget.asked": "step",
    "budget.raised": "step",
    "budget.kept": "step",
    "approval.opened": "approval",
    "sleep.started": "sleep",
    "child.started": "child",
    "child.undoing": "compensation",
    "compensation.begun": "compensation",
    "compensation.stuck": "compensation",
    "compensation.failed": "compensation",
    "compensation.retried": "compensation",
}
# What ends one, and as what; None where the entry itself says it.
_CLOSES: Final[Mapping[str, tuple[str, str | None]]] = {
    "step.finished": ("step", "finished"),
    "step.failed": ("step", "failed"),
    "budget.exceeded": ("step", "failed"),
    "budget.settled": ("step", "failed"),
    "approval.decided": ("approval", None),
    "sleep.ended": ("sleep", "finished"),
    "child.ended": ("child", None),
    "child.undone": ("compensation", None),
    "compensation.finished": ("compensation", "finished"),
    "compensation.skipped": ("compensation", "skipped"),
    "compensation.taken_over": ("compensation", "taken_over"),
}
_OF_AN_APPROVAL: Final = frozenset(
    {"vote.recorded", "rung.fired", "approval.edited", "approval.extended", "approval.consumed"}
)
# Of what an entry says, these alone leave by a trace: names and numbers of ours, nothing that people wrote.
_TOLD: Final = ("attempt", "choice", "channel", "rung", "version", "outcome", "risk", "percent")


class Line(Protocol):
    """A line of a journal."""

    @property
    def position(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def path(self) -> str | None: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def at(self) -> datetime: ...


def spans_of(
    subject: Subject, entries: Sequence[Line], posted: Iterable[Posted] = ()
) -> list[Span]:
    """The run's span, and one for each step, approval, sleep, child, compensation and delivery.

    In the order in which they began. What was under way when the run ended has ended with it.
    """
    book = _Book(subject)
    for entry in entries:
        book.take(entry)
    found = [*book.spans(), *(_delivery(subject, each, book) for each in posted)]
    return sorted(found, key=lambda span: span.began_at)


class _Book:
    """The spans of one run, as its journal is read."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._run: Span | None = None
        self._found: dict[tuple[str, str], list[Span]] = {}
        self.approvals: dict[str, str] = {}  # the span of each

    def take(self, entry: Line) -> None:
        """Go on with the next entry."""
        kind = _OPENS.get(entry.kind)
        if self._run is None:
            self._run = self._first(entry)
        elif entry.kind in _CLOSES:
            self._close(entry)
        elif kind is not None and entry.path is not None:
            self._note(entry, self._span(kind, entry), kind)
        elif entry.kind in _OF_AN_APPROVAL and ("approval", entry.path or "") in self._found:
            self._note(entry, self._found["approval", entry.path or ""][-1], "approval")
        else:
            self._on_run(entry)

    def spans(self) -> list[Span]:
        """All of them; those that the run's end cut short end with it."""
        if self._run is None:
            return []
        found = [span for each in self._found.values() for span in each]
        run = replace(self._run, cost=total(span.cost for span in found))
        if run.ended_at is None:
            return [run, *found]
        return [run, *(span if span.ended_at else _cut_short(span, run) for span in found)]

    def _first(self, entry: Line) -> Span:
        subject = self._subject
        return Span(
            id=span_id(subject.run),
            parent=subject.thread.parent,
            kind="run",
            name=f"run {subject.facts['signoff.workflow']}",
            began_at=entry.at,
            facts=subject.facts,
        )

    def _span(self, kind: str, entry: Line) -> Span:
        path = entry.path or ""
        have = self._found.setdefault((kind, path), [])
        if not have or have[-1].ended_at is not None:
            have.append(self._begun(kind, entry, len(have)))
        approval = entry.data.get("approval")
        if kind == "approval" and isinstance(approval, str):
            self.approvals[approval] = have[-1].id
        return have[-1]

    def _begun(self, kind: str, entry: Line, number: int) -> Span:
        subject = self._subject
        return Span(
            id=span_id(subject.run, kind, entry.path or "", str(number)),
            parent=span_id(subject.run),
            kind=kind,
            name=f"{kind} {entry.name or kind}",
            began_at=_began(entry),
            facts=subject.facts,
        )

    def _close(self, entry: Line) -> None:
        kind, outcome = _CLOSES[entry.kind]
        if entry.path is None:
            return
        span = self._span(kind, entry)
        spent = total([span.cost, parse_amounts(entry.data.get("cost") or {})])
        facts = {**span.facts, **_said(entry)}
        span = replace(span, cost=spent, facts=facts)
        if entry.kind == "step.failed" and not entry.data.get("is_final"):
            self._note(entry, span, kind)
            return
        became = outcome or str(entry.data.get("outcome") or entry.data.get("status"))
        self._found[kind, entry.path][-1] = replace(span, ended_at=entry.at, outcome=became)

    def _note(self, entry: Line, span: Span, kind: str) -> None:
        self._found[kind, entry.path or ""][-1] = _with(span, entry)

    def _on_run(self, entry: Line) -> None:
        run = self._run
        if run is None:
            return
        if entry.kind in ENDS:
            self._run = replace(run, ended_at=entry.at, outcome=ENDS[entry.kind])
            return
        if entry.kind == "rollback.started":
            run = replace(run, ended_at=None, outcome=None)
        self._run = _with(run, entry)


def _cut_short(span: Span, run: Span) -> Span:
    return replace(span, ended_at=run.ended_at, outcome=run.outcome)


def _with(span: Span, entry: Line) -> Span:
    if len(span.happened) >= HAPPENINGS_MAX:
        return replace(span, left_out=span.left_out + 1)
    facts = _said(entry)
    if entry.kind == "checkpoint.created" and entry.name is not None:
        facts["signoff.checkpoint"] = entry.name
    happening = Happening(name=entry.kind, at=entry.at, facts=facts)
    return replace(span, happened=(*span.happened, happening))


def _said(entry: Line) -> dict[str, Fact]:
    data = entry.data
    facts: dict[str, Fact] = {
        f"signoff.{name}": data[name]
        for name in _TOLD
        if isinstance(data.get(name), str | int) and data[name] is not None
    }
    if is_table(error := data.get("error")):
        facts["error.type"] = str(error.get("type") or error.get("code") or "error")
    if isinstance(agent := data.get("agent"), str):
        facts["signoff.agent"] = agent
    if is_table(sources := data.get("sources")) and sources:
        facts["signoff.source"] = ", ".join(sorted(map(str, sources)))
    if data.get("reused"):
        facts["signoff.reused"] = True
    return facts


def _began(entry: Line) -> datetime:
    started = entry.data.get("started_at")
    return datetime.fromisoformat(started) if isinstance(started, str) else entry.at


def _delivery(subject: Subject, each: Posted, book: _Book) -> Span:
    told: dict[str, Fact] = {
        "signoff.channel": each.channel,
        "signoff.event": each.event,
        "signoff.attempt": each.attempts,
    }
    return Span(
        id=span_id(subject.run, "delivery", each.id),
        parent=book.approvals.get(each.approval, span_id(subject.run)),
        kind="delivery",
        name=f"delivery {each.channel}",
        began_at=each.began_at,
        ended_at=each.ended_at,
        outcome=each.status,
        facts={**subject.facts, **told},
    )
