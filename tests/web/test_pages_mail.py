"""The whole way through a mailbox: a link signs in, and a mail's button approves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from bot.application import Application
from bot.demo.mail.mailbox import Mail
from bot.demo.mail.standin import MailStandIn
from channels.cards import CardBuilder
from channels.dispatch import Dispatcher
from channels.email.channel import EmailChannel
from channels.email.config import mail_config
from engine.rules.states import ApprovalStatus
from engine.store import routings
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def mail(application: Application) -> AsyncIterator[MailStandIn]:
    stand_in = MailStandIn(clock=application.clock, ids=application.ids)
    async with stand_in.listening():
        yield stand_in


@pytest.fixture
async def site(application: Application, mail: MailStandIn) -> AsyncIterator[Site]:
    config = mail_config(mail.smtp_url, mail_from="Approvals <approvals@example.com>")
    channels = {"email": EmailChannel(config, clock=application.clock)}
    await application.database.write(lambda tx: routings.set_channels(tx, frozenset(channels)))
    async with Site.of(replace(application, channels=channels)) as site:
        yield site


async def deliver(site: Site) -> None:
    """Send all that waits in the outbox."""
    served = site.application
    cards = CardBuilder(served.database, base_url=served.base_url)
    dispatcher = Dispatcher(
        served.database, served.channels, cards, clock=served.clock, base_url=served.base_url
    )
    await dispatcher.drain()


def path_in(mail: Mail, start: str) -> str:
    """Where the first link of the mail leads that begins like this."""
    found = [urlsplit(url) for url in mail.links()]
    return next(
        f"{url.path}?{url.query}".rstrip("?") for url in found if url.path.startswith(start)
    )


async def test_nobody_unknown_gets_mail(site: Site, mail: MailStandIn) -> None:
    await site.stranger.post("/sign-in", {"email": "eve@example.com"})
    await deliver(site)

    assert mail.mailbox.messages() == []


async def test_a_mail_signs_in(
    site: Site, mail: MailStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site.browser() as browser:
        await browser.post("/sign-in", {"email": "Ana@Example.com"})
        await deliver(site)
        (sent,) = mail.mailbox.messages("ana@example.com")
        path = path_in(sent, "/sign-in/")

        answer = await browser.submit(await browser.get(path), path)

        assert answer.headers["location"] == "/"
        assert (await browser.get("/approvals")).status_code == 200
    assert path.rpartition("/")[2] not in "".join(capsys.readouterr())


async def test_two_mails_approve(site: Site, mail: MailStandIn, ana: Browser) -> None:
    row = await site.asked(routes={"email": ["approvers"]})
    await deliver(site)
    for person in ("ana", "bo"):
        (sent,) = mail.mailbox.messages(f"{person}@example.com")
        path = path_in(sent, "/respond/")
        shown = await site.stranger.get(path)

        answer = await site.stranger.submit(shown, path.partition("?")[0], choice="approve")

        assert answer.status_code == 200
    assert (await site.picture(row.id)).status is ApprovalStatus.APPROVED
    assert "Ana Diaz and Bo Lind" in (await ana.get(f"/approvals/{row.id}")).text
