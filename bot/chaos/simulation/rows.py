"""What the simulated store keeps: rows that are replaced and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.rules.ladder import Rung
from engine.rules.quorum import Quorum
from engine.rules.receipts import ReceiptState
from engine.rules.states import ApprovalStatus, RunShape


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run. `kept` is what is kept back of the budget for its steps, by path."""

    id: str
    script: str
    shape: RunShape
    ready_at: datetime | None
    token: str | None = None
    holder: str | None = None
    lease_until: datetime | None = None
    tries: int = 0
    position: int = 0
    head: str = ""
    kept: Mapping[str, int]
    result: Any = None
    error: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """An approval in its present version. `amount` is what its call would move."""

    id: str
    run: str
    path: str
    version: int
    amount: int
    digest: str
    status: ApprovalStatus
    quorum: Quorum
    ladder: tuple[Rung, ...]
    widened: frozenset[str]
    excluded: frozenset[str]
    opened_at: datetime
    expires_at: datetime | None
    decision: Mapping[str, Any] | None = None
    is_consumed: bool = False
    round: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRow:
    """One answer."""

    approval: str
    version: int
    digest: str
    sequence: int
    person: str
    choice: str
    at: datetime
    is_late: bool = False
    is_current: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRow:
    """A rung that is due at a moment."""

    approval: str
    rung: int
    due_at: datetime
    is_armed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A card to be shown: how an approval stood when this was enqueued."""

    id: str
    approval: str
    place: int
    event: str
    status: str = "pending"
    due_at: datetime
    token: str | None = None
    lease_until: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """An effect that several claim under one request id."""

    id: str
    state: ReceiptState
    token: str
    lease_until: datetime
    attempts: int = 1
