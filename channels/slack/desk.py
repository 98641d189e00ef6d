"""Where Slack's requests are dealt with: who presses, and what the store says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeAlias, TypeVar

import structlog

from channels.base import Card
from channels.slack import limits, wire
from channels.slack.client import SlackClient
from channels.slack.config import SlackConfig
from engine.clock import Clock
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, TenantId
from engine.rules import ballots
from engine.services import inbox, tenants
from engine.store.database import Database, Transaction

T = TypeVar("T")
CardOf: TypeAlias = Callable[[Transaction, TenantId, ApprovalId, PersonId], Card]

SOURCE: Final = "slack"
NOT_CONFIRMED: Final = ballots.not_recorded()
log = structlog.stdlib.get_logger("slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who pressed or typed, by the workspace they belong to; names are never asked."""

    team: str
    user: str

    @property
    def identity(self) -> str:
        return f"{self.team}/{self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every request is answered with; `card_of` is the card as one person may see it."""

    config: SlackConfig
    database: Database
    clock: Clock
    base_url: str
    card_of: CardOf
    tenants: Mapping[str, TenantId] = field(default_factory=dict[str, TenantId])  # by workspace
    client: SlackClient = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", SlackClient(self.config))

    def tenant_of(self, *workspaces: str | None) -> TenantId:
        """Whose workspace it is that was heard from; one that nobody claims is the installation's own."""
        known = (self.tenants[each] for each in workspaces if each and each in self.tenants)
        return next(known, DEFAULT_TENANT)

    def page(self, approval: str) -> str:
        """The approval in the web inbox."""
        return f"{self.base_url.rstrip('/')}/approvals/{approval}"

    async def once(self, delivery: "Delivery", deed: Callable[[Transaction], T]) -> T | None:
        """Run `deed` unless this very request was heard before; then None, and nothing is done.

        The memory of the request and the deed are one transaction.

        Raises:
            NotRecorded: if the store did not confirm in time.
        """

        def all_of_it(tx: Transaction) -> T | None:
            tenants.check_active(tx, delivery.tenant)
            is_new = inbox.first_time(
                tx, delivery.tenant, SOURCE, delivery.key, keep_for=limits.REPLAY_KEPT
            )
            return deed(tx) if is_new else None

        database = self.database.of(delivery.tenant)
        return await database.write(all_of_it, within=limits.ANSWER_WITHIN)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One verified request, and what is to be done once it is acknowledged."""

    said: wire.Heard
    caller: Caller
    key: str
    tenant: TenantId
    afterwards: list[Callable[[], Awaitable[None]]] = field(
        default_factory=list[Callable[[], Awaitable[None]]]
    )


def replay_key(signature: str, body: bytes) -> str:
    """Equal for the same bytes signed at the same second, and for nothing else."""
    return sha256(signature.encode() + b"\n" + body).hexdigest()
