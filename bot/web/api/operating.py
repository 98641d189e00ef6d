"""What operators, terminals and callers are answered about keys, messages, numbers and themselves."""

from datetime import datetime

from pydantic import Field

from bot.web.api.changed_shapes import Answer
from engine.services.keys import Scope


class Key(Answer):
    """An API key, without anything from which it could be made."""

    id: str
    name: str
    scopes: list[Scope]
    owner: str | None
    made_by: list[str] = Field(description="The people who made it; none where this machine did.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKey(Key):
    """A key that was just made; `key` itself is shown this once."""

    key: str


class KeyList(Answer):
    """Every key, revoked ones included, newest first."""

    keys: list[Key]


class Tenant(Answer):
    """One organisation that shares this installation."""

    id: str
    name: str
    is_active: bool
    origin: str = Field(description="`built-in`, `config` or `api`.")
    created_at: datetime | None = Field(description="None for the one that was always here.")


class TenantList(Answer):
    """Every organisation, those at rest included."""

    tenants: list[Tenant]


class Switch(Answer):
    """A kill switch that is engaged, and who asked for its release where that takes two."""

    scope: str
    reason: str
    engaged_by: str
    engaged_at: datetime
    release_asked_by: str | None
    release_asked_at: datetime | None


class SwitchStatus(Answer):
    """Every kill switch that is engaged for the tenant, and whether all its runs are stopped."""

    switches: list[Switch]
    halted: bool


class SwitchChange(Answer):
    """How a kill switch stands after it was engaged or released."""

    scope: str
    engaged: bool
    switch: Switch | None
    warning: str | None = Field(description="That nobody could release it, as things stand.")


class Delivery(Answer):
    """One message in the outbox."""

    id: str
    approval: str | None
    channel: str
    address: str
    kind: str
    event: str
    status: str
    attempts: int
    error: str | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


class Outbox(Answer):
    """Messages, newest first, and how many there are in each state."""

    deliveries: list[Delivery]
    counts: dict[str, int]
    next: str | None


class Redriven(Answer):
    """How many dead messages are sent again."""

    redriven: int


class DecisionTimes(Answer):
    """How long people took, over the latest decisions."""

    count: int
    median_s: float | None
    p90_s: float | None


class Stats(Answer):
    """How many there are in each state."""

    runs: dict[str, int]
    approvals: dict[str, int]
    outbox: dict[str, int]
    time_to_decision: DecisionTimes


class Me(Answer):
    """Who calls, and what they may do."""

    kind: str
    tenant: str
    name: str
    person: str | None
    key: str | None
    owner: str | None
    scopes: list[Scope]
    expires_at: datetime | None = Field(description="When the session ends.")


class SignInAsked(Answer):
    """A terminal that waits: compare `code` with the page behind the mailed link."""

    code: str
    device: str
    expires_at: datetime


class Session(Answer):
    """A session of `signoff login`; `token` is its bearer."""

    token: str
    person: str
    expires_at: datetime


class Pending(Answer):
    """Nobody opened the link yet."""

    status: str
