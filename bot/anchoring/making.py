"""What the settings say of anchors, made: the seed of the key, and the places where they are kept."""

import base64
from collections.abc import Sequence
from pathlib import Path

from bot.anchoring.sinks import FileSink, Sink, SyslogSink, WebhookSink
from bot.settings import Settings
from channels.base import ChannelMisconfigured
from channels.webhook.config import WebhookTarget
from engine.clock import Clock
from engine.http import Egress
from engine.ids import DEFAULT_TENANT


def seed_of(settings: Settings) -> bytes | None:
    """The seed of the key that was set; None when it is made from the secret."""
    key = settings.anchor_key
    return None if key is None else base64.b64decode(key.get_secret_value())


def anchors_path(settings: Settings) -> Path | None:
    """The file that anchors are added to, if there is one."""
    if settings.anchor_file is not None or settings.shared_url is not None:
        return settings.anchor_file
    return settings.database_path.with_name(settings.database_path.name + ".anchors")


def sinks_of(settings: Settings, webhooks: Sequence[WebhookTarget], *, clock: Clock) -> list[Sink]:
    """Every place outside the database that the settings name.

    Raises:
        ChannelMisconfigured: if the webhook that is named is not in `signoff.toml`.
    """
    found: list[Sink] = []
    path = anchors_path(settings)
    if path is not None:
        found.append(FileSink(path))
    if settings.anchor_syslog is not None:
        found.append(SyslogSink(settings.anchor_syslog))
    if settings.anchor_webhook is not None:
        egress = Egress(allow_nets=settings.webhook_allow_nets)
        found.append(WebhookSink(_named(settings.anchor_webhook, webhooks), egress, clock))
    return found


def _named(name: str, webhooks: Sequence[WebhookTarget]) -> WebhookTarget:
    for target in webhooks:
        if (target.tenant, target.name) == (DEFAULT_TENANT, name):
            return target
    raise ChannelMisconfigured(
        f"SIGNOFF_ANCHOR_WEBHOOK is {name!a}, and signoff.toml has no [webhooks.{name}]. Add it, or "
        "remove the setting."
    )
