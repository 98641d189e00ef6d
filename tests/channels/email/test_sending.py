"""Over real SMTP: what a refusal means, what is tried again, and one thread for each approval."""

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.demo.mail.server import Abilities
from bot.demo.mail.standin import MailStandIn
from bot.demo.mail.trouble import BUSY, FULL, SPAM, TOO_BIG, Cut, Say, Stage
from channels.base import (
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    MessageRef,
    Notice,
    RecipientUnknown,
)
from channels.email.channel import EmailChannel
from channels.email.config import mail_config
from engine.ids import SystemIds
from tests.channels.email.cards import APPROVAL, card, ended
from tests.channels.email.conftest import SENDER, channel_of
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio
BO = "bo@example.com"


async def posted(channel: EmailChannel, key: str = "dlv_1") -> MessageRef:
    return await channel.post(card(), to=BO, key=key)


@pytest.mark.parametrize(
    ("stage", "trouble"),
    [
        (Stage.CONNECT, BUSY),
        (Stage.CONNECT, Cut()),
        (Stage.EHLO, Say(line="421 4.3.2 Going down", hangs_up=True)),
        (Stage.MAIL, FULL),
        (Stage.RCPT, Say(line="451 4.3.0 Try again")),
        (Stage.RCPT, Cut()),
        (Stage.DATA, FULL),
        (Stage.DOT, Say(line="451 4.7.1 Greylisted")),
    ],
    ids=str,
)
async def test_what_passes_is_unavailable_and_certainly_not_sent(
    stage: Stage, trouble: Say | Cut, channel: EmailChannel, mail: MailStandIn
) -> None:
    mail.faults.add(stage, trouble)

    with pytest.raises(ChannelUnavailable) as refusal:
        await posted(channel)

    assert not refusal.value.ambiguous
    assert mail.mailbox.messages() == []


@pytest.mark.parametrize(
    ("stage", "trouble", "expected"),
    [
        (Stage.DOT, SPAM, ChannelRefused),
        (Stage.DOT, TOO_BIG, ChannelRefused),
        (Stage.RCPT, Say(line="550 5.1.1 No such user"), RecipientUnknown),
        (Stage.RCPT, Say(line="551 5.1.6 Moved"), RecipientUnknown),
        (Stage.RCPT, Say(line="553 5.1.3 Not allowed"), RecipientUnknown),
        (Stage.RCPT, Say(line="554 5.7.1 Relay access denied"), ChannelRefused),
        (Stage.RCPT, Say(line="530 5.7.0 Sign in first"), ChannelMisconfigured),
        (Stage.MAIL, Say(line="550 5.1.0 Sender unknown"), ChannelMisconfigured),
        (Stage.MAIL, Say(line="530 5.7.0 Sign in first"), ChannelMisconfigured),
        (Stage.CONNECT, Say(line="554 5.3.2 No SMTP here"), ChannelMisconfigured),
    ],
    ids=str,
)
async def test_what_never_works_says_whose_fault_it_is(
    stage: Stage, trouble: Say, expected: type[Exception], channel: EmailChannel, mail: MailStandIn
) -> None:
    mail.faults.add(stage, trouble)

    with pytest.raises(expected) as refusal:
        await posted(channel)

    assert type(refusal.value) is expected
    assert trouble.line[4:] in str(refusal.value)


@pytest.mark.parametrize("kept", [True, False])
async def test_a_connection_lost_after_the_dot_is_ambiguous_and_a_repeat_is_the_same_mail(
    kept: bool, channel: EmailChannel, mail: MailStandIn
) -> None:
    mail.faults.add(Stage.DOT, Cut(kept=kept))

    with pytest.raises(ChannelUnavailable) as refusal:
        await posted(channel)
    await posted(channel)

    assert refusal.value.ambiguous
    found = {each.message["Message-ID"] for each in mail.mailbox.messages()}
    assert len(mail.mailbox.messages()) == (2 if kept else 1)
    assert len(found) == 1


async def test_a_greylisted_mail_arrives_at_the_second_try(
    channel: EmailChannel, mail: MailStandIn
) -> None:
    mail.faults.greylist(1)

    with pytest.raises(ChannelUnavailable):
        await posted(channel)
    await posted(channel)

    assert len(mail.mailbox.messages(BO)) == 1


async def test_nobody_listening_is_unavailable(clock: ManualClock) -> None:
    channel = EmailChannel(mail_config("smtp://127.0.0.1:9", mail_from=SENDER), clock=clock)

    with pytest.raises(ChannelUnavailable):
        await posted(channel)


async def test_what_follows_joins_the_thread_of_the_first_mail(
    channel: EmailChannel, mail: MailStandIn, clock: ManualClock
) -> None:
    first = await posted(channel)
    await clock.advance(timedelta(hours=1))

    second = await channel.update(ended(title="Edited"), first, to=BO, key="dlv_2")
    await channel.update(ended(event="approval.expired"), second, to=BO, key="dlv_3")

    mails = [each.message for each in mail.mailbox.messages(BO)]
    thread = mails[0]["Message-ID"]
    assert [each["In-Reply-To"] for each in mails] == [None, thread, thread]
    assert [each["References"] for each in mails] == [None, thread, thread]
    assert len({each["Message-ID"] for each in mails}) == 3
    assert [each["Subject"] for each in mails] == [
        "[Approval] Refund order 17?",
        *["Re: [Approval] Refund order 17?"] * 2,
    ]
    assert mails[1]["Date"].datetime == clock.now()


async def test_how_the_votes_stand_is_not_worth_a_mail(
    channel: EmailChannel, mail: MailStandIn
) -> None:
    first = await posted(channel)

    again = await channel.update(card(event="approval.updated"), first, to=BO, key="dlv_2")

    assert again == first
    assert len(mail.mailbox.messages()) == 1


async def test_a_mail_says_that_a_machine_wrote_it_and_what_it_is_about(
    channel: EmailChannel, mail: MailStandIn
) -> None:
    ref = await posted(channel)

    [kept] = mail.mailbox.messages()
    assert kept.message["Auto-Submitted"] == "auto-generated"
    assert kept.message["X-Auto-Response-Suppress"] == "All"
    assert kept.message["X-Signoff-Approval"] == APPROVAL
    assert str(kept.message["To"]) == "Bo Chen <bo@example.com>"
    assert kept.message["Message-ID"] == ref.data["message_id"]
    assert kept.options == ()
    assert len(ref.shown) == 71


async def test_a_notice_carries_its_one_link(channel: EmailChannel, mail: MailStandIn) -> None:
    notice = Notice(title="Sign in", text="Once.", url="https://b.example/s/t", url_label="Sign in")

    await channel.tell(notice, to=BO, key="dlv_9")

    [kept] = mail.mailbox.messages(BO)
    assert kept.subject == "Sign in"
    assert kept.links() == ["https://b.example/s/t"]


async def test_a_name_in_another_script_needs_a_server_that_can(
    channel: EmailChannel, mail: MailStandIn, clock: ManualClock
) -> None:
    with pytest.raises(RecipientUnknown, match="SMTPUTF8"):
        await channel.post(card(), to="jürgen@bücher.example", key="dlv_1")

    able = MailStandIn(clock=clock, ids=SystemIds(), abilities=Abilities(utf8=True))
    async with able.listening():
        await channel_of(able, clock).post(card(), to="jürgen@bücher.example", key="dlv_1")
    assert able.mailbox.messages()[0].recipients == ("jürgen@xn--bcher-kva.example",)


@pytest.fixture
async def locked(clock: ManualClock) -> AsyncIterator[MailStandIn]:
    abilities = Abilities(accounts={"bot": "right"})
    stand_in = MailStandIn(clock=clock, ids=SystemIds(), abilities=abilities)
    async with stand_in.listening():
        yield stand_in


@pytest.mark.parametrize("who", ["", "bot:wrong@", "eve:right@"])
async def test_a_server_that_wants_another_password_is_a_wrong_setting(
    who: str, locked: MailStandIn, clock: ManualClock
) -> None:
    url = f"smtp://{who}127.0.0.1:{locked.port}"
    channel = EmailChannel(mail_config(url, mail_from=SENDER), clock=clock)

    with pytest.raises(ChannelMisconfigured):
        await posted(channel)


async def test_the_right_password_lets_mail_through_and_is_healthy(
    locked: MailStandIn, clock: ManualClock
) -> None:
    url = f"smtp://bot:right@127.0.0.1:{locked.port}"
    channel = EmailChannel(mail_config(url, mail_from=SENDER), clock=clock)

    await channel.check_health()
    await posted(channel)

    assert len(locked.mailbox.messages(BO)) == 1


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_a_server_without_tls_is_a_wrong_setting_when_tls_is_asked_for(
    scheme: str, mail: MailStandIn, clock: ManualClock
) -> None:
    url = f"{scheme}://127.0.0.1:{mail.port}"
    channel = EmailChannel(
        mail_config(url, mail_from=SENDER), clock=clock, tls=ssl.create_default_context()
    )

    with pytest.raises(ChannelMisconfigured):
        await channel.check_health()
