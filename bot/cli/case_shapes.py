"""The parts of a case that are drawn in a terminal."""

from collections.abc import Sequence
from datetime import datetime

from bot.cli.shape import Shape


class CaseSignal(Shape):
    """What a source reported once."""

    id: str
    source: str
    outcome: str
    confidence: str
    current: bool
    late: bool


class CaseStanding(Shape):
    """What the signals of a case amount to."""

    heard: int
    agreement: str


class CaseDecision(Shape):
    """What made the outcome of a case final."""

    decided_by: str
    who: Sequence[str]


class CaseGivenUp(Shape):
    """By whom and why a case was left without an outcome."""

    by: str
    reason: str


class CaseQuestion(Shape):
    """Where people are asked."""

    approval: str


class Case(Shape):
    """A case with what its sources say."""

    id: str
    title: str
    status: str
    outcome: str | None
    enough: str
    standing: CaseStanding
    signals: Sequence[CaseSignal]
    decision: CaseDecision | None
    question: CaseQuestion | None
    settlement: str | None
    expires_at: datetime | None
    given_up: CaseGivenUp | None
