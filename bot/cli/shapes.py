"""The parts of the server's answers that are drawn in a terminal; whatever else they hold is left alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.cli.approval_shapes import Approval, Plan
from bot.cli.shape import Shape


class Step(Shape):
    """One thing a run did."""

    position: int
    name: str
    kind: str
    status: str
    attempts: int
    started_at: datetime
    ended_at: datetime | None = None
    error: str | None = None


class Waiting(Shape):
    """What a run waits for."""

    reason: str
    approval: str | None = None
    child: str | None = None


class Rollback(Shape):
    """What a run undid or undoes, why, and how far it came."""

    to: str | None = None
    mode: str = "stop"
    reason: str | None = None
    ended_at: datetime | None = None
    success: bool | None = None
    completion: float = 0.0
    left: Sequence[str] = ()
    cleanup: Sequence[str] = ()
    compensations: Sequence[Step] = ()


class Held(Shape):
    """Why nothing of a run goes on, and since when."""

    reason: str | None = None
    at: datetime


class Relative(Shape):
    """A run in the tree of another."""

    id: str
    workflow: str
    status: str = ""
    path: str = ""
    children: Sequence["Relative"] = ()


class Unknown(Shape):
    """A step of which nobody knows whether it happened."""

    step: str
    request_id: str
    why: str


class RunLine(Shape):
    """A run in a list."""

    id: str
    workflow: str
    status: str
    waiting_for: Waiting | None = None
    held_up: str | None = None
    sandbox: bool = False
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None


class Run(RunLine):
    """A run as `GET /api/runs/{id}` answers it."""

    version: str
    started_by: str
    started_by_name: str = ""
    input: Mapping[str, Any] = {}
    result: Any = None
    error: Mapping[str, Any] | None = None
    steps: Sequence[Step] = ()
    approvals: Sequence[Approval] = ()
    rollback: Rollback | None = None
    plan: Plan | None = None
    held: Held | None = None
    undoes: Sequence[str] = ()
    summary: Mapping[str, Any] = {}
    budget: Mapping[str, Any] | None = None
    unknown: Sequence[Unknown] = ()
    above: Sequence[Relative] = ()
    children: Sequence[Relative] = ()


class Entry(Shape):
    """A line of a run's journal."""

    position: int
    kind: str
    name: str | None = None
    data: Mapping[str, Any] = {}
    at: datetime
    hash: str


class Tenant(Shape):
    """An organisation as the terminal shows it."""

    id: str
    name: str
    is_active: bool
    origin: str
    created_at: datetime | None


class Delivery(Shape):
    """A message in the outbox."""

    id: str
    approval: str | None = None
    channel: str
    address: str
    event: str
    status: str
    attempts: int
    error: str | None = None
    created_at: datetime


class BudgetUsage(Shape):
    """What one period of a budget holds of one unit."""

    period: str
    limit: str
    spent: str
    reserved: str
    left: str
    percent: int
    forecast: str | None = None


class Budget(Shape):
    """A budget as the terminal shows it."""

    id: str
    scope: str
    per: str
    usage: Sequence[BudgetUsage]
