"""A card says what will be called and who asks, in the words of every other surface."""

import pytest

from channels.base import Card
from channels.cards import CardBuilder
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId
from engine.services import keys
from engine.services.keys import NewKey
from tests.channels.office import BASE, Office

pytestmark = pytest.mark.anyio


async def card_of(office: Office, approval: ApprovalId) -> Card:
    cards = CardBuilder(office.database, base_url=BASE)
    return await office.database.read(
        lambda tx: cards.card_of(tx, DEFAULT_TENANT, approval, PersonId("ana"))
    )


async def test_the_call_comes_first_and_its_texts_are_quoted(post_office: Office) -> None:
    arguments = {"args": ["charge-17", "1, 2"], "kwargs": {"currency": "EUR"}}
    call = {"name": "shop.refunds:pay_back", "arguments": arguments}
    asked = await post_office.ask(call=call)

    first = (await card_of(post_office, asked.id)).facts[0]

    assert first.label == "Call"
    assert first.value == 'pay_back("charge-17", "1, 2", currency="EUR") of shop.refunds'
    assert first.is_material


async def test_a_key_that_asks_is_called_by_its_name(post_office: Office) -> None:
    wanted = NewKey(name="night desk", scopes=["approvals:ask"])
    key, _ = await post_office.database.write(
        lambda tx: keys.create(tx, DEFAULT_TENANT, wanted, by="local")
    )

    named = await post_office.ask(requester=f"key:{key.id}")
    unknown = await post_office.ask(requester="key:agent")

    assert (await card_of(post_office, named.id)).requester == "night desk"
    assert (await card_of(post_office, unknown.id)).requester == "key:agent"
