"""The parts of an approval that are drawn in a terminal, and those by which somebody answers there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.cli.shape import Shape


class Vote(Shape):
    """One person's answer."""

    person: str
    choice: str
    comment: str | None = None
    channel: str
    at: datetime
    counted: bool
    form: Mapping[str, Any] | None = None
    late: bool = False


class Share(Shape):
    """How many there are of how many that are needed; `name` is a group's."""

    name: str = ""
    have: int
    need: int


class Progress(Shape):
    """How far an approval has come."""

    approve: Share
    reject: Share
    groups: Sequence[Share] = ()
    can_still: Sequence[str] = ()


class Rung(Shape):
    """What happens next if nobody does anything."""

    text: str
    due_at: datetime


class Posted(Shape):
    """Where an approval is shown."""

    channel: str
    target: str
    state: str


class Decision(Shape):
    """What the votes, a deadline or a policy amounted to."""

    outcome: str
    by: Sequence[str] = ()
    comment: str | None = None
    at: datetime | None = None
    form: Mapping[str, Any] | None = None


class Undone(Shape):
    """A step that a rollback would undo, and whom it asks first."""

    step: str
    needs: str | Sequence[str] | None = None


class Staying(Shape):
    """A step that would stay done, and why."""

    step: str
    why: str


class Plan(Shape):
    """What a rollback would do now."""

    to: str
    undoes: Sequence[Undone] = ()
    stays: Sequence[Staying] = ()


class Difference(Shape):
    """One field, as it was asked and as it would be."""

    field: str
    old: Any
    new: Any


class Outcome(Shape):
    """What some approvers agree to."""

    digest: str = ""
    changes: Mapping[str, Any] = {}
    differences: Sequence[Difference] = ()
    by: Sequence[str] = ()


class Children(Shape):
    """How many of the runs that one started have completed."""

    of: str
    done: int
    all: int


class Approval(Shape):
    """An approval as `GET /api/approvals/{id}` answers it."""

    id: str
    run: str
    tree: Sequence[Mapping[str, str]] = ()
    children: Children | None = None
    status: str
    version: int
    digest: str
    action: str
    title: str
    requester: str
    requester_name: str = ""
    requester_is_verified: bool = True
    risk: str
    call: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = {}
    kind: str = "binary"
    form: Mapping[str, Any] | None = None
    fields: Sequence[str] | None = None
    differences: Sequence[Difference] = ()
    outcomes: Sequence[Outcome] = ()
    progress: Progress
    votes: Sequence[Vote] = ()
    decision: Decision | None = None
    messages: Sequence[Posted] = ()
    next_rung: Rung | None = None
    undoes: Sequence[str] = ()
    plan: Plan | None = None
    on_reject: str = "rollback"
    report: Sequence[str] = ()
    opened_at: datetime
    expires_at: datetime | None = None
