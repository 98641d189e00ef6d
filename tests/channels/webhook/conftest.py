"""An endpoint that is really served, and the channel that calls it."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from bot.demo.hooks.standin import HooksStandIn
from bot.demo.serving import served
from channels.base import Card
from channels.webhook.channel import WebhookChannel
from channels.webhook.config import WebhookTarget
from engine.http import Egress
from engine.ids import PersonId, SystemIds
from engine.tokens import Tokens
from tests.channels.email.cards import ORDINARY
from tests.clock import ManualClock

BASE = "https://bot.example.com"
NEW, OLD, STRANGE = ("whsec_" + base64.b64encode(bytes([seed]) * 32).decode() for seed in (1, 2, 3))
LOOPBACK = Egress(allow_nets=[ip_network("127.0.0.0/8")])
SNAPSHOT = {
    "id": ORDINARY.approval,
    "status": "open",
    "version": 1,
    "digest": ORDINARY.digest,
    "details": {"order": "17", "iban": "ES91"},
    "call": None,
    "votes": [],
}


@pytest.fixture
async def hooks(clock: ManualClock) -> AsyncIterator[HooksStandIn]:
    stand_in = HooksStandIn([NEW], clock=clock, ids=SystemIds())
    async with served(stand_in.app) as url:
        stand_in.at(url)
        yield stand_in


@pytest.fixture
def channel(hooks: HooksStandIn, clock: ManualClock, tokens: Tokens) -> WebhookChannel:
    return channel_of(clock, tokens, target(hooks.url))


def target(url: str, **changes: Any) -> WebhookTarget:
    """The endpoint `erp` at `url`, with `changes`."""
    erp = WebhookTarget(name="erp", url=url, secrets=(NEW, OLD), person=PersonId("erp-approver"))
    return replace(erp, **changes)


def channel_of(clock: ManualClock, tokens: Tokens, *targets: WebhookTarget) -> WebhookChannel:
    """The channel with these endpoints, allowed to call this machine."""
    return WebhookChannel(
        targets, egress=LOOPBACK, callbacks=LOOPBACK, tokens=tokens, clock=clock, base_url=BASE
    )


def card(**changes: Any) -> Card:
    """The ordinary card as a webhook gets it, with `changes`."""
    return replace(ORDINARY, **{"snapshot": SNAPSHOT, **changes})
