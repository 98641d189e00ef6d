"""The mail server: what it refuses, how it troubles senders, and what it keeps."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import anyio
import pytest
from aiosmtplib import SMTPResponseException, SMTPServerDisconnected

from bot.demo.mail.mailbox import Mail
from bot.demo.mail.server import Abilities
from bot.demo.mail.standin import MailStandIn
from bot.demo.mail.strictness import objection
from bot.demo.mail.trouble import BUSY, FULL, SPAM, TOO_BIG, Cut, Say, Stage, Stall, Trouble
from engine.ids import SystemIds
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

HEAD = (
    b"From: bot@example.com\r\nTo: ana@example.com\r\nDate: Thu, 15 Jan 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@example.com>\r\nSubject: Refund?\r\n"
)


@pytest.fixture
async def mail(clock: ManualClock) -> AsyncIterator[MailStandIn]:
    stand_in = MailStandIn(clock=clock, ids=SystemIds())
    async with stand_in.listening():
        yield stand_in


def letter(to: str = "ana@example.com", link: str = "http://bot.test/respond/t1") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "bot@example.com"
    message["To"] = to
    message["Date"] = "Thu, 15 Jan 2026 12:00:00 +0000"
    message["Message-ID"] = "<1@example.com>"
    message["Subject"] = "Refund?"
    message.set_content(f"Open {link} to decide.", cte="quoted-printable")
    message.add_alternative(f'<a href="{link}?a=1&amp;b=2">Go</a>', "html")
    return message


async def send(
    mail: MailStandIn, message: EmailMessage | bytes, to: str = "ana@example.com"
) -> str:
    _, answer = await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=mail.port,
        sender="bounce@example.com",
        recipients=[to],
        start_tls=False,
        timeout=5,
    )
    return answer


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(HEAD + b"Subject: two\r\n\r\nx", "Duplicate header: subject", id="subject"),
        pytest.param(HEAD + b"From: x@y.z\r\n\r\nx", "Duplicate header: from", id="from"),
        pytest.param(HEAD + b"To: x@y.z\r\n\r\nx", "Duplicate header: to", id="to"),
        pytest.param(HEAD + b"Message-ID: <2@x>\r\n\r\nx", "Duplicate header: message-id", id="id"),
        pytest.param(
            HEAD.replace(b"Date:", b"X-Date:") + b"\r\nx", "Missing header: date", id="date"
        ),
        pytest.param(
            HEAD.replace(b"Message-ID:", b"X-Id:") + b"\r\nx",
            "Missing header: message-id",
            id="no id",
        ),
        pytest.param(
            HEAD.replace(b"<1@example.com>", b"=?utf-8?q?=3C1=40x?=") + b"\r\nx",
            "Malformed Message-ID",
            id="encoded id",
        ),
        pytest.param(HEAD + b"not a field\r\n\r\nx", "Malformed header", id="no field"),
        pytest.param(HEAD + b"\r\nx\ny", "Bare CR or LF", id="bare line feed"),
        pytest.param(HEAD + b"\r\nx\0", "NUL", id="nul"),
        pytest.param(HEAD + b"\r\n" + b"x" * 999, "Line longer than 998", id="long line"),
        pytest.param(HEAD + "X: é\r\n\r\nx".encode(), "SMTPUTF8", id="8-bit header"),
        pytest.param(HEAD + "\r\né".encode(), "8-bit body", id="8-bit body, not announced"),
    ],
)
def test_a_strict_server_refuses(raw: bytes, words: str) -> None:
    refusal = objection(raw, eight_bit=False, utf8=False)

    assert refusal is not None
    assert words in refusal
    assert refusal[:3] in ("554", "500")


def test_a_strict_server_takes_what_is_right() -> None:
    assert objection(HEAD + b"\r\n" + b"x" * 998, eight_bit=False, utf8=False) is None
    assert objection(HEAD + "\r\né".encode(), eight_bit=True, utf8=False) is None


async def test_a_refused_message_is_not_kept(mail: MailStandIn) -> None:
    with pytest.raises(SMTPResponseException) as raised:
        await send(mail, HEAD + b"Subject: two\r\n\r\nx")

    assert raised.value.code == 554
    assert mail.mailbox.messages() == []


async def test_an_accepted_mail_is_kept_with_its_envelope(
    mail: MailStandIn, clock: ManualClock
) -> None:
    await send(mail, letter())

    kept = await mail.mailbox.arrival("ANA@example.com", holding="Refund")
    assert (kept.sender, kept.recipients) == ("bounce@example.com", ("ana@example.com",))
    assert (kept.at, kept.subject) == (clock.now(), "Refund?")
    assert kept.links() == ["http://bot.test/respond/t1?a=1&b=2", "http://bot.test/respond/t1"]
    assert mail.mailbox.messages("bo@example.com") == []
    assert mail.mailbox.addresses() == {"ana@example.com": 1}


async def test_a_mail_over_the_size_is_refused(clock: ManualClock) -> None:
    stand_in = MailStandIn(clock=clock, ids=SystemIds(), abilities=Abilities(size_octets=1_000))
    async with stand_in.listening():
        with pytest.raises(SMTPResponseException) as raised:
            await send(stand_in, HEAD + b"\r\n" + b"x\r\n" * 1_000)

    assert raised.value.code == 552


async def test_a_server_may_know_neither_8bitmime_nor_utf8(clock: ManualClock) -> None:
    stand_in = MailStandIn(clock=clock, ids=SystemIds(), abilities=Abilities(eight_bit=False))
    async with stand_in.listening():
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=stand_in.port) as smtp:
            offered = [smtp.supports_extension(name) for name in ("8bitmime", "smtputf8", "size")]
        with pytest.raises(SMTPResponseException) as raised:
            await send(stand_in, HEAD + "\r\né".encode())

    assert offered == [False, False, True]
    assert raised.value.code == 554


async def test_an_address_can_be_refused_for_good(mail: MailStandIn) -> None:
    mail.faults.refuse("gone@example.com")

    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as raised:
        await send(mail, letter("gone@example.com"), "gone@example.com")
    await send(mail, letter())

    assert raised.value.recipients[0].code == 550


async def test_a_greylist_accepts_the_same_pair_later(mail: MailStandIn) -> None:
    mail.faults.greylist(2)
    codes: list[int] = []

    for _ in range(2):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as raised:
            await send(mail, letter())
        codes.append(raised.value.recipients[0].code)
    await send(mail, letter())

    assert codes == [450, 450]
    assert len(mail.mailbox.messages()) == 1


@pytest.mark.parametrize(
    ("stage", "trouble", "code"),
    [
        (Stage.CONNECT, BUSY, 421),
        (Stage.EHLO, BUSY, 421),
        (Stage.MAIL, FULL, 452),
        (Stage.MAIL, TOO_BIG, 552),
        (Stage.DATA, SPAM, 554),
        (Stage.DOT, SPAM, 554),
        (Stage.DOT, BUSY, 421),
        (Stage.DOT, Say(line="451 4.3.0 Try later"), 451),
    ],
)
async def test_each_stage_can_answer_with_trouble_once(
    mail: MailStandIn, stage: Stage, trouble: Trouble, code: int
) -> None:
    mail.faults.add(stage, trouble)

    with pytest.raises((SMTPResponseException, SMTPServerDisconnected)) as raised:
        await send(mail, letter())
    await send(mail, letter())

    assert getattr(raised.value, "code", code) == code
    assert len(mail.mailbox.messages()) == 1


@pytest.mark.parametrize("kept", [True, False])
async def test_a_connection_lost_after_the_dot_leaves_the_sender_in_doubt(
    mail: MailStandIn, kept: bool
) -> None:
    mail.faults.add(Stage.DOT, Cut(kept=kept))

    with pytest.raises((SMTPServerDisconnected, ConnectionError)):
        await send(mail, letter())

    assert len(mail.mailbox.messages()) == int(kept)


async def test_a_server_may_say_nothing_until_it_is_released(mail: MailStandIn) -> None:
    stall = Stall()
    mail.faults.add(Stage.DOT, stall)

    async with anyio.create_task_group() as group:
        group.start_soon(send, mail, letter())
        await stall.reached.wait()
        assert mail.mailbox.messages() == []
        stall.released.set()

    assert len(mail.mailbox.messages()) == 1


async def test_a_stalled_sender_is_cut_when_the_server_stops(clock: ManualClock) -> None:
    stand_in = MailStandIn(clock=clock, ids=SystemIds())
    stall = Stall()
    stand_in.faults.add(Stage.MAIL, stall)
    failures: list[Exception] = []

    async def try_to_send() -> None:
        try:
            await send(stand_in, letter())
        except (SMTPServerDisconnected, ConnectionError) as lost:
            failures.append(lost)

    async with anyio.create_task_group() as group, stand_in.listening():
        group.start_soon(try_to_send)
        await stall.reached.wait()

    assert len(failures) == 1


async def test_starttls_can_be_offered_and_refused(clock: ManualClock) -> None:
    stand_in = MailStandIn(clock=clock, ids=SystemIds(), abilities=Abilities(starttls_refused=True))
    async with stand_in.listening():
        with pytest.raises(aiosmtplib.SMTPException):
            await aiosmtplib.send(
                letter(), hostname="127.0.0.1", port=stand_in.port, start_tls=True, timeout=5
            )

    assert stand_in.mailbox.messages() == []


async def test_an_account_needs_its_password(clock: ManualClock) -> None:
    abilities = Abilities(accounts={"bot": "right"})
    stand_in = MailStandIn(clock=clock, ids=SystemIds(), abilities=abilities)
    async with stand_in.listening():
        with pytest.raises(SMTPResponseException) as without:
            await send(stand_in, letter())
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=stand_in.port) as smtp:
            with pytest.raises(SMTPResponseException) as wrong:
                await smtp.login("bot", "wrong")
            await smtp.login("bot", "right")
            await smtp.send_message(letter())

    assert (without.value.code, wrong.value.code) == (530, 535)
    assert [kept.subject for kept in stand_in.mailbox.messages()] == ["Refund?"]


async def test_two_connections_at_once_deliver_both(mail: MailStandIn) -> None:
    await asyncio.gather(*(send(mail, letter()) for _ in range(5)))

    ids: set[str] = {kept.id for kept in mail.mailbox.messages()}
    last: Mail = await mail.mailbox.arrival(number=5)
    assert len(ids) == 5
    assert last.id in ids
