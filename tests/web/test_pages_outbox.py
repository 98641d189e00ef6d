"""Operators see what does not reach people, and send it again."""

import pytest
from sqlalchemy import update

from engine.ids import DEFAULT_TENANT, DeliveryId
from engine.services import deliveries
from engine.store.database import Transaction
from engine.store.outbox import NewDelivery
from engine.store.tables import outbox
from tests.web.html import read
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio


async def given_deliveries(site: Site, count: int, *, status: str) -> list[DeliveryId]:
    """Mails that are in this state."""

    def deed(tx: Transaction) -> list[DeliveryId]:
        new = NewDelivery(
            tenant=DEFAULT_TENANT,
            message=None,
            channel="email",
            address="bo@example.com",
            kind="tell",
            event="compensation.stuck",
            due_at=tx.now,
            payload={"title": "Stuck", "text": "It is.", "path": "/runs"},
        )
        made = [deliveries.enqueue(tx, new) for _ in range(count)]
        values = {"status": status, "error": "550 <b>no such mailbox</b>", "attempts": 9}
        tx.connection.execute(update(outbox).where(outbox.c.id.in_(made)).values(values))
        return made

    return await site.application.database.write(deed)


async def test_only_operators_see_the_outbox(site: Site, ana: Browser) -> None:
    (dead,) = await given_deliveries(site, 1, status="dead")

    shown = await ana.get("/outbox")
    pressed = await ana.submit(await ana.get("/approvals"), "/sign-out")

    assert shown.status_code == 403
    assert "bo@example.com" not in shown.text
    assert "Open the inbox" in shown.text
    assert pressed.status_code == 303
    assert (await ana.post(f"/outbox/{dead}/redrive", {})).status_code == 303


async def test_an_operator_needs_the_form_of_their_own_session(site: Site, dana: Browser) -> None:
    (dead,) = await given_deliveries(site, 1, status="dead")

    assert (await dana.post(f"/outbox/{dead}/redrive", {"csrf": "x"})).status_code == 403


async def test_what_was_given_up_is_sent_again(site: Site, dana: Browser) -> None:
    (dead,) = await given_deliveries(site, 1, status="dead")
    shown = await dana.get("/outbox")
    path = f"/outbox/{dead}/redrive"

    answer = await dana.follow(await dana.submit(shown, path))
    twice = await dana.follow(await dana.submit(shown, path))

    assert "550 &lt;b&gt;no such mailbox&lt;/b&gt;" in shown.text
    assert "It is sent again." in answer.text
    assert "This one is not given up." in twice.text
    assert "Tried 0 times" in (await dana.get("/outbox?view=pending")).text


async def test_long_outboxes_come_in_pages(site: Site, dana: Browser) -> None:
    await given_deliveries(site, 51, status="sent")

    first = await dana.get("/outbox?view=sent")
    (more,) = [found for found in read(first.text).all("a") if found.has("class", "more-link")]
    second = await dana.get(more.attributes["href"])

    assert (first.text.count("data-item"), second.text.count("data-item")) == (50, 1)
    assert "more-link" not in second.text
