"""One running Signoff, put together: what the doors are handed, and nothing they could make themselves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from bot.anchoring.rounds import Anchoring
from bot.erasures import ErasureFile
from channels.base import Channel
from channels.webhook.config import WebhookTarget
from engine.addresses import Network
from engine.clock import Clock
from engine.ids import Ids, TenantId
from engine.runtime.workflows import Workflows
from engine.services.approvals import OpenCap
from engine.signing import Signer
from engine.store.database import Database
from engine.tokens import Tokens

VERSION: Final = "0.1.0"

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
    callback_allow_nets: tuple[Network, ...] = ()  # for addresses that whoever asks names
    open_cap: OpenCap = field(default_factory=lambda: OpenCap(0))  # of each requester
    anchoring: Anchoring | None = None
    erasures: ErasureFile | None = None  # where it is kept outside who was erased
    anchor_keys: tuple[str, ...] = ()  # public keys that signed anchors before and still count
    traces_share: float | None = (
        None  # of the traces that nobody else decided on; None where none is sent
    )
    acting_for: TenantId | None = None  # None at doors where nobody has said yet who they are

    @property
    def tenant(self) -> TenantId:
        """Whose deeds these are.

        Raises:
            LookupError: before anybody is known: no tenant stands in for one that was not said.
        """
        if self.acting_for is None:
            raise LookupError("Nobody's tenant is known at this door.")
        return self.acting_for

    def of(self, tenant: TenantId) -> "Application":
        """The same as one tenant has it: its rows and its webhooks alone."""
        return replace(
            self,
            acting_for=tenant,
            database=self.database.of(tenant),
            workflows=self.workflows.of(tenant),
            webhooks=tuple(each for each in self.webhooks if each.tenant == tenant),
        )

    @property
    def signer(self) -> Signer:
        """What signs anchors."""
        return Signer(self.tokens.anchor_seed)

    @property
    def trusted(self) -> tuple[str, ...]:
        """The public keys whose anchors count."""
        before = (Signer(seed).public for seed in self.tokens.older_anchor_seeds)
        return (self.signer.public, *before, *self.anchor_keys)

    @property
    def is_secure(self) -> bool:
        """Whether people reach it over https, so that cookies may carry the `__Host-` prefix."""
        return self.base_url.startswith("https://")
