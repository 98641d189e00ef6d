"""One running Signoff, put together: what the doors are handed, and nothing they could make themselves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from channels.base import Channel
from channels.webhook.config import WebhookTarget
from engine.addresses import Network
from engine.clock import Clock
from engine.ids import DEFAULT_TENANT, Ids, TenantId
from engine.runtime.workflows import Workflows
from engine.store.database import Database
from engine.tokens import Tokens

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything a door needs. `slack` answers `POST /slack/events`, where Slack is configured."""

    base_url: str  # how people reach it, without a slash at the end
    database: Database
    clock: Clock
    ids: Ids
    tokens: Tokens
    workflows: Workflows
    channels: Mapping[str, Channel] = field(default_factory=dict[str, Channel])
    webhooks: tuple[WebhookTarget, ...] = ()
    slack: Endpoint | None = None
    trusted_proxies: tuple[str, ...] = ()
    webhook_allow_nets: tuple[Network, ...] = ()
    tenant: TenantId = DEFAULT_TENANT

    @property
    def is_secure(self) -> bool:
        """Whether people reach it over https, so that cookies may carry the `__Host-` prefix."""
        return self.base_url.startswith("https://")
