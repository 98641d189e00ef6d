"""Over real TLS: a certificate nobody vouches for is a wrong setting, and no mail goes out."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.demo.mail.server import Abilities
from bot.demo.mail.standin import MailStandIn
from bot.demo.mail.trouble import Say, Stage
from channels.base import ChannelMisconfigured, ChannelUnavailable
from channels.email.channel import EmailChannel
from channels.email.config import mail_config
from engine.ids import SystemIds
from tests.channels.email.cards import card
from tests.channels.email.certificate import serving, trusting
from tests.channels.email.conftest import SENDER
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def secured(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[MailStandIn]:
    abilities = Abilities(tls=serving(tmp_path))
    stand_in = MailStandIn(clock=clock, ids=SystemIds(), abilities=abilities)
    async with stand_in.listening():
        yield stand_in


async def test_a_certificate_that_nobody_vouches_for_is_a_wrong_setting(
    secured: MailStandIn, clock: ManualClock
) -> None:
    channel = EmailChannel(mail_config(secured.smtp_url, mail_from=SENDER), clock=clock)

    with pytest.raises(ChannelMisconfigured, match="certificate"):
        await channel.post(card(), to="bo@example.com", key="dlv_1")

    assert secured.mailbox.messages() == []


async def test_a_trusted_server_takes_the_mail_after_starttls(
    secured: MailStandIn, clock: ManualClock
) -> None:
    config = mail_config(secured.smtp_url, mail_from=SENDER)
    channel = EmailChannel(config, clock=clock, tls=trusting())

    await channel.post(card(), to="bo@example.com", key="dlv_1")

    assert len(secured.mailbox.messages("bo@example.com")) == 1


async def test_tls_that_is_not_available_now_is_tried_again(
    secured: MailStandIn, clock: ManualClock
) -> None:
    secured.faults.add(Stage.STARTTLS, Say(line="454 4.7.0 TLS not available"))
    config = mail_config(secured.smtp_url, mail_from=SENDER)

    with pytest.raises(ChannelUnavailable):
        await EmailChannel(config, clock=clock, tls=trusting()).check_health()
