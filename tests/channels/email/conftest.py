"""A mail server that is really served, and the channel that writes to it."""

from collections.abc import AsyncIterator

import pytest

from bot.demo.mail.standin import MailStandIn
from channels.email.channel import EmailChannel
from channels.email.config import mail_config
from engine.ids import SystemIds
from tests.clock import ManualClock

SENDER = "Approvals <approvals@example.com>"


@pytest.fixture
async def mail(clock: ManualClock) -> AsyncIterator[MailStandIn]:
    stand_in = MailStandIn(clock=clock, ids=SystemIds())
    async with stand_in.listening():
        yield stand_in


@pytest.fixture
def channel(mail: MailStandIn, clock: ManualClock) -> EmailChannel:
    return channel_of(mail, clock)


def channel_of(mail: MailStandIn, clock: ManualClock) -> EmailChannel:
    """The channel as it is configured for `mail`."""
    return EmailChannel(mail_config(mail.smtp_url, mail_from=SENDER), clock=clock)
