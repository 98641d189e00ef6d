"""Whatever people write, a mail has our headers, our links and our markup, and nothing else."""

import pytest

from bot.demo.mail.standin import MailStandIn
from channels.base import Notice, RecipientUnknown
from channels.email.channel import EmailChannel
from channels.email.message import message_id
from tests.channels.email.cards import APPROVE, BASE, PAGE, REJECT, card, everywhere
from tests.channels.email.corpus import BAD_ADDRESSES, HOSTILE
from tests.channels.email.oracle import Seen, assert_a_notice, assert_ours_alone

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len({text for texts in HOSTILE.values() for text in texts}) >= 200


@pytest.mark.parametrize("texts", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_words_stay_words(
    texts: list[str], channel: EmailChannel, mail: MailStandIn
) -> None:
    for text in texts:
        mail.mailbox.clear()
        await channel.post(everywhere(text), to="bo@example.com", key="dlv_1")

        [kept] = mail.mailbox.messages()
        assert kept.recipients == ("bo@example.com",), ascii(text)
        assert_ours_alone(kept.raw)


@pytest.mark.parametrize("texts", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_words_stay_words_in_a_notice(
    texts: list[str], channel: EmailChannel, mail: MailStandIn
) -> None:
    for text in texts:
        mail.mailbox.clear()
        notice = Notice(title=text, text=text, url=f"{BASE}/outbox", url_label="Open")

        await channel.tell(notice, to="bo@example.com", key="dlv_1")

        [kept] = mail.mailbox.messages()
        assert kept.recipients == ("bo@example.com",), ascii(text)
        assert_a_notice(kept.raw, link=f"{BASE}/outbox")


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=ascii)
async def test_what_is_no_single_address_gets_no_mail(
    address: str, channel: EmailChannel, mail: MailStandIn
) -> None:
    with pytest.raises(RecipientUnknown):
        await channel.post(card(), to=address, key="dlv_1")

    assert mail.mailbox.messages() == []


async def test_the_links_of_an_ordinary_mail_are_the_three_pages_in_both_parts(
    channel: EmailChannel, mail: MailStandIn
) -> None:
    await channel.post(card(), to="bo@example.com", key="dlv_1")

    [kept] = mail.mailbox.messages()
    seen = Seen()
    seen.feed(kept.html)
    assert seen.links == [APPROVE, REJECT, PAGE]
    assert [line for line in kept.text.splitlines() if "://" in line] == [APPROVE, REJECT, PAGE]


@pytest.mark.parametrize(
    "domain", ["example.com", "a." * 60 + "example.com", "x" * 63 + ".example"]
)
def test_a_message_id_is_short_enough_to_stay_unencoded(domain: str) -> None:
    found = message_id("dlv_0192f00000007000800000000000abcd", domain)

    assert len(found) <= 60
    assert found == message_id("dlv_0192f00000007000800000000000abcd", domain)
    assert found != message_id("dlv_0192f00000007000800000000000abce", domain)
