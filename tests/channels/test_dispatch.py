"""Deliveries: what fails is tried again or told, what is over is dropped, nothing is sent twice."""

from datetime import timedelta
from functools import partial

import pytest

from bot.demo.faults import Status
from bot.demo.mail.trouble import FULL, Stage
from channels.attempt import Attempts
from channels.base import (
    ChannelMisconfigured,
    ChannelRefused,
    MessageGone,
    RecipientUnknown,
)
from channels.cards import CardBuilder
from engine.errors import LeaseLost, NotFound
from engine.ids import DEFAULT_TENANT, DeliveryId
from engine.rules.tally import Choice
from engine.services import deliveries
from engine.store.outbox import Delivery
from tests.channels.office import ANA, BASE, BO, ERP, Office
from tests.channels.paper import Paper

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=90)
ANAS, BOS, CHENS = "ana@example.com", "bo@example.com", "chen@example.com"
ONLY_MAIL = {"email": ["ana@example.com"]}


async def claimed(post_office: Office, channel: str = "email") -> list[Delivery]:
    return await post_office.database.write(
        lambda tx: deliveries.claim(tx, channel, limit=99, lease_for=LEASE)
    )


@pytest.mark.parametrize(
    "error",
    [ChannelRefused("full"), RecipientUnknown("who?"), ChannelRefused("x", code="odd")],
    ids=repr,
)
async def test_what_never_works_is_dead_at_once_and_told_to_the_operators_once(
    error: Exception, post_office: Office
) -> None:
    paper = Paper(troubles=[error, error])
    await post_office.ask(routes={"email": [ANAS, BOS]})

    await post_office.dispatcher(channels={"email": paper}).drain()

    assert [row.status for row in await post_office.deliveries(kind="post")] == ["dead", "dead"]
    assert [row.state for row in await post_office.messages()] == ["dead", "dead"]
    [(what, text, _)] = paper.given
    assert what == "tell"
    assert str(error) in text
    assert "signoff outbox redrive" in text


async def test_a_dead_letter_that_is_sent_again_shows_the_approval_as_it_is_now(
    post_office: Office,
) -> None:
    post_office.mail.faults.refuse(ANAS)
    asked = await post_office.ask(routes=ONLY_MAIL)
    dispatcher = post_office.dispatcher()
    await dispatcher.drain()
    await post_office.vote(asked.id, BO)
    post_office.mail.faults.refuse(ANAS, "")

    again = await post_office.database.write(lambda tx: deliveries.redrive(tx, DEFAULT_TENANT))
    await dispatcher.drain()

    assert again == 1
    [mail] = post_office.mail.mailbox.messages(ANAS)
    assert "1 of 2" in mail.text


async def test_only_what_is_dead_can_be_sent_again(post_office: Office) -> None:
    asked = await post_office.ask(routes=ONLY_MAIL)
    [row] = await post_office.deliveries()

    for delivery in (row.id, "dlv_nobody"):
        with pytest.raises(NotFound):
            await post_office.database.write(
                partial(deliveries.redrive, tenant=DEFAULT_TENANT, delivery=DeliveryId(delivery))
            )

    assert asked.status == "open"


async def test_what_passes_is_tried_again_later_and_the_mail_stays_the_same(
    post_office: Office,
) -> None:
    post_office.mail.faults.add(Stage.RCPT, FULL, times=2)
    await post_office.ask(routes=ONLY_MAIL)
    dispatcher = post_office.dispatcher()

    attempts = []
    for _ in range(4):
        attempts.append(await dispatcher.drain())
        await post_office.clock.advance(timedelta(seconds=2))

    assert attempts == [1, 1, 1, 0]
    [row] = await post_office.deliveries()
    assert (row.status, row.attempts, row.error) == ("sent", 3, None)
    assert len(post_office.mail.mailbox.messages(ANAS)) == 1


async def test_a_mediums_wish_to_wait_wins_when_it_is_later(post_office: Office) -> None:
    post_office.hooks.trouble(Status(code=503, retry_after=3_600))
    await post_office.ask(routes={"webhook": ["erp"]})
    dispatcher = post_office.dispatcher()

    await dispatcher.drain()
    await post_office.clock.advance(timedelta(minutes=59))
    early = await dispatcher.drain()
    await post_office.clock.advance(timedelta(minutes=1))
    late = await dispatcher.drain()

    assert (early, late) == (0, 1)
    assert len(post_office.hooks.received("approval.opened")) == 1


async def test_a_webhook_is_tried_for_three_days_and_then_given_up(post_office: Office) -> None:
    post_office.hooks.trouble(Status(code=500), times=99)
    await post_office.ask(routes={"webhook": ["erp"]}, ladder=["reject after 9d"])
    dispatcher, begun = post_office.dispatcher(), post_office.clock.now()

    while (await post_office.deliveries(channel="webhook"))[0].status == "pending":
        await dispatcher.drain()
        await post_office.clock.advance(timedelta(minutes=20))

    assert len(post_office.hooks.attempts) == 10
    assert timedelta(days=3) < post_office.clock.now() - begun < timedelta(days=4)
    assert any("answered 500" in each.text for each in post_office.mail.mailbox.messages(CHENS))


async def test_a_wrong_setting_is_tried_again_and_told_once(post_office: Office) -> None:
    wrong = ChannelMisconfigured("SIGNOFF_SLACK_BOT_TOKEN was revoked.")
    slack = Paper(called="slack", troubles=[wrong, wrong])
    await post_office.ask(routes={"slack": ["#approvals"]})
    dispatcher = post_office.dispatcher(channels={**post_office.channels, "slack": slack})

    for _ in range(4):
        await dispatcher.drain()
        await post_office.clock.advance(timedelta(minutes=2))

    assert [what for what, *_ in slack.given] == ["post"]
    [told] = post_office.mail.mailbox.messages(CHENS)
    assert "SIGNOFF_SLACK_BOT_TOKEN was revoked" in told.text
    assert f"{BASE}/outbox" in told.text


async def test_a_channel_that_nobody_set_up_here_waits_and_is_told(post_office: Office) -> None:
    await post_office.ask(routes={"slack": ["#approvals"]})
    dispatcher = post_office.dispatcher()

    # Where others share the database, it may be theirs: it is gone after minutes in which nobody served it.
    for _ in range(20):
        await dispatcher.drain()
        await post_office.clock.advance(timedelta(seconds=30))

    [row] = await post_office.deliveries(channel="slack")
    assert row.status == "pending"
    assert any("not set up" in each.text for each in post_office.mail.mailbox.messages(CHENS))


async def test_a_bug_in_a_channel_stops_nobody_else(post_office: Office) -> None:
    buggy = Paper(called="slack", troubles=[ZeroDivisionError("oops")])
    await post_office.ask(routes={"slack": ["#approvals"], **ONLY_MAIL})

    await post_office.dispatcher(channels={**post_office.channels, "slack": buggy}).drain()

    assert len(post_office.mail.mailbox.messages(ANAS)) == 1
    [row] = await post_office.deliveries(channel="slack")
    assert (row.status, row.error) == ("pending", "May have arrived: ZeroDivisionError: oops")


async def test_trouble_with_a_notice_of_trouble_is_not_told(post_office: Office) -> None:
    post_office.mail.faults.refuse(CHENS)
    post_office.mail.faults.refuse(ANAS)
    await post_office.ask(routes=ONLY_MAIL)

    await post_office.dispatcher().drain()

    assert len(await post_office.deliveries(kind="tell")) == 1


async def test_a_deleted_message_is_left_alone(post_office: Office) -> None:
    paper = Paper()
    asked = await post_office.ask(routes=ONLY_MAIL)
    dispatcher = post_office.dispatcher(channels={"email": paper})
    await dispatcher.drain()
    await post_office.vote(asked.id, ANA)
    paper.troubles = [MessageGone("It was deleted.")]
    await dispatcher.drain()

    await post_office.vote(asked.id, BO)
    await dispatcher.drain()

    assert [what for what, *_ in paper.given] == ["post"]
    assert (await post_office.messages())[0].state == "gone"
    assert await post_office.deliveries(status="pending") == []


async def test_what_ended_before_it_was_shown_is_not_shown_but_a_webhook_hears_of_it_all(
    post_office: Office,
) -> None:
    asked = await post_office.ask(quorum=1)
    await post_office.vote(asked.id, BO)

    await post_office.dispatcher().drain()

    assert post_office.mail.mailbox.messages() == []
    assert {row.status for row in await post_office.deliveries(channel="email")} == {"dropped"}
    assert [event.type for event in post_office.hooks.received()] == [
        "approval.opened",
        "approval.decided",
    ]


async def test_many_votes_are_one_update_with_the_latest_content(post_office: Office) -> None:
    asked = await post_office.ask(quorum=3)
    for person in (ANA, BO):
        await post_office.vote(asked.id, person)

    await post_office.dispatcher().drain()

    [updated] = post_office.hooks.received("approval.updated")
    assert b'"approve":{"have":2,"need":3}' in updated.body


async def test_what_was_shown_is_kept_with_the_version_and_what_it_left_out(
    post_office: Office,
) -> None:
    paper = Paper()
    await post_office.ask(routes=ONLY_MAIL)

    await post_office.dispatcher(channels={"email": paper}).drain()

    [message] = await post_office.messages()
    [(_, _, key)] = paper.given
    assert (message.state, message.shown, message.shown_version) == ("posted", key, 1)
    assert (message.ref, message.left_out) == (f'{{"first":"{key}"}}', '["iban"]')


async def test_what_a_notice_said_is_forgotten_once_it_was_said(post_office: Office) -> None:
    post_office.mail.faults.refuse(ANAS)
    await post_office.ask(routes=ONLY_MAIL)

    await post_office.dispatcher().drain()

    [told] = await post_office.deliveries(kind="tell")
    assert (told.status, told.payload) == ("sent", "{}")


async def test_a_crash_between_send_and_mark_repeats_the_same_mail_and_the_same_event(
    post_office: Office,
) -> None:
    await post_office.ask(routes={"webhook": ["erp"], **ONLY_MAIL})
    cards = CardBuilder(post_office.database, base_url=BASE)
    attempts = Attempts(post_office.channels, cards, base_url=BASE)
    for channel in ("email", "webhook"):
        for delivery in await claimed(post_office, channel):
            await attempts.make(delivery)  # and here the process dies

    idle = await post_office.dispatcher().drain()
    await post_office.clock.advance(LEASE)
    await post_office.dispatcher().drain()

    assert idle == 0
    mails = [mail.message["Message-ID"] for mail in post_office.mail.mailbox.messages(ANAS)]
    assert (len(mails), len(set(mails))) == (2, 1)
    assert [event.repeats for event in post_office.hooks.received()] == [1]
    assert {row.status for row in await post_office.deliveries()} == {"sent"}


async def test_the_holder_of_a_lease_that_ran_out_changes_nothing(post_office: Office) -> None:
    await post_office.ask(routes=ONLY_MAIL)
    [mine] = await claimed(post_office)
    await post_office.clock.advance(LEASE)
    [theirs] = await claimed(post_office)

    for deed in (
        lambda tx: deliveries.sent(tx, mine, None),
        lambda tx: deliveries.failed(tx, mine, "late", retry_at=None),
        lambda tx: deliveries.dropped(tx, mine),
        lambda tx: deliveries.gone(tx, mine, "late"),
    ):
        with pytest.raises(LeaseLost):
            await post_office.database.write(deed)

    [row] = await post_office.deliveries()
    assert (row.status, row.lease_token) == ("pending", theirs.lease)


async def test_a_delivery_that_kills_its_process_each_time_is_given_up(post_office: Office) -> None:
    await post_office.ask(routes={"webhook": ["erp"]})
    for _ in range(10):
        assert len(await claimed(post_office, "webhook")) == 1
        await post_office.clock.advance(LEASE)

    await post_office.dispatcher().drain()

    [row] = await post_office.deliveries(channel="webhook")
    assert row.status == "dead"
    assert post_office.hooks.attempts == []


async def test_at_the_start_of_the_sole_owner_every_lease_is_free(post_office: Office) -> None:
    await post_office.ask(routes=ONLY_MAIL)
    await claimed(post_office)

    freed = await post_office.database.write(deliveries.free_all)

    assert freed == 1
    assert len(await claimed(post_office)) == 1


async def test_operators_see_the_newest_first_page_by_page(post_office: Office) -> None:
    for _ in range(3):
        await post_office.ask(routes=ONLY_MAIL)

    pages = []
    before = None
    for _ in range(2):
        page = await post_office.database.read(
            partial(deliveries.listing, tenant=DEFAULT_TENANT, before=before, limit=2)
        )
        pages.append([line.id for line in page])
        before = page[-1].id

    newest_first = [row.id for row in reversed(await post_office.deliveries())]
    assert pages == [newest_first[:2], newest_first[2:]]


async def test_a_rejection_reaches_everybody_who_was_asked(post_office: Office) -> None:
    asked = await post_office.ask(reject_quorum=1)
    dispatcher = post_office.dispatcher()
    await dispatcher.drain()
    await post_office.vote(asked.id, ERP, Choice.REJECT)

    await dispatcher.drain()

    for address in (ANAS, BOS):
        first, second = post_office.mail.mailbox.messages(address)
        assert second.message["In-Reply-To"] == first.message["Message-ID"]
        assert "Rejected by ERP" in second.text
        assert "?choice=" not in second.text + second.html
