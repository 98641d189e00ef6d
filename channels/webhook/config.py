"""What the webhook channel is told: named endpoints, their secrets, and whose vote an answer is."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.base import ChannelMisconfigured
from channels.webhook.limits import SECRET_BYTES_MAX, SECRET_BYTES_MIN
from engine.ids import DEFAULT_TENANT, PersonId, TenantId

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_URL: Final = re.compile(r"https?://[\x21-\x7e]{1,2000}")
_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """One configured endpoint. Every secret signs and verifies, so that one can be replaced
    without a gap. Without a `person` it is told, and cannot answer.

    Raises:
        ChannelMisconfigured: if the name, the URL or a secret cannot work.
    """

    name: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    person: PersonId | None = None
    tenant: TenantId = DEFAULT_TENANT

    @property
    def place(self) -> str:
        """Where it stands in `signoff.toml`."""
        within = "" if self.tenant == DEFAULT_TENANT else f"tenants.{self.tenant}."
        return f"{within}webhooks.{self.name}"

    def __post_init__(self) -> None:
        place = f"[{self.place}]"
        if not _NAME.fullmatch(self.name):
            raise ChannelMisconfigured(
                f"The webhook name {self.name!a} must be lower-case letters, digits, - and _."
            )
        if not _URL.fullmatch(self.url):
            raise ChannelMisconfigured(f"{place} url must be a full https address.")
        if not self.secrets:
            raise ChannelMisconfigured(
                f"{place} needs `secrets`: at least one, `whsec_` and 32 random bytes in Base64."
            )
        for position, secret in enumerate(self.secrets, start=1):
            try:
                signing_key(secret)
            except ValueError as error:
                raise ChannelMisconfigured(f"{place} secret {position} {error}.") from None


def signing_key(secret: str) -> bytes:
    """The bytes that a `whsec_…` text stands for.

    Raises:
        ValueError: if it stands for none, or for too few or too many; the secret is not repeated.
    """
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not Base64; make one with `whsec_` and 32 random bytes") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(
            f"holds {len(key)} bytes instead of {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}"
        )
    return key


def by_name(
    targets: Iterable[WebhookTarget],
) -> Mapping[tuple[TenantId, str], WebhookTarget]:
    """The endpoints by their tenant and name.

    Raises:
        ChannelMisconfigured: if two share a name, or a secret: an answer's signature must name one,
            and no tenant may sign what is another's.
    """
    found: dict[tuple[TenantId, str], WebhookTarget] = {}
    for target in targets:
        if (target.tenant, target.name) in found:
            raise ChannelMisconfigured(f"[{target.place}] is there twice.")
        if sharing := _sharing(target.secrets, found.values()):
            raise ChannelMisconfigured(
                f"[{target.place}] and [{sharing}] share a secret. Give each its "
                "own, or nobody can say which of them answered."
            )
        found[target.tenant, target.name] = target
    return found


def _sharing(secrets: Sequence[str], others: Iterable[WebhookTarget]) -> str | None:
    keys = {signing_key(secret) for secret in secrets}
    return next(
        (
            other.place
            for other in others
            if keys & {signing_key(secret) for secret in other.secrets}
        ),
        None,
    )
