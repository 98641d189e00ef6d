"""Whatever fails around a mail or a webhook, everybody hears in the end, and nobody of two things."""

from datetime import timedelta
from typing import Final

import pytest

from engine.failpoints import Mode
from engine.services import deliveries
from tests.channels.office import ANA, BO, Office
from tests.crossings import MODES, failing, survived

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CROSSED: Final = ("email.session", "email.content", "webhook")
LATER: Final = timedelta(minutes=20)


async def delivered(office: Office) -> None:
    """Whoever delivers next has time, and frees what the dead held."""
    for _try in range(3):
        await office.clock.advance(LATER)
        await survived(office.dispatcher().drain(), office.clock)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", CROSSED)
async def test_a_failure_around_a_message_loses_none(
    post_office: Office, boundary: str, mode: Mode
) -> None:
    asked = await post_office.ask()

    with failing(f"{boundary}={mode}:50ms", post_office.clock) as fault:
        await survived(post_office.dispatcher().drain(), post_office.clock)
    await delivered(post_office)
    for person in (ANA, BO):
        await post_office.vote(asked.id, person)
    await delivered(post_office)

    assert fault.seen > 0
    counts = await post_office.database.read(lambda tx: deliveries.counts(tx, asked.tenant))
    assert (counts.get("pending", 0), counts.get("dead", 0)) == (0, 0)
    for name in ("ana", "bo"):
        mails = post_office.mail.mailbox.messages(f"{name}@example.com")
        assert len({each.subject for each in mails}) >= 2
        assert len(mails) <= 3
    assert len(post_office.hooks.received("approval.opened")) == 1
    assert len(post_office.hooks.received("approval.decided")) == 1
