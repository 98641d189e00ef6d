"""A card says what will be called and who asks, in the words of every other surface."""

from dataclasses import replace

import pytest

from channels.base import Card
from channels.cards import CardBuilder
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId
from engine.services import configuration, keys
from engine.services.keys import NewKey
from tests.channels.office import ANA, BASE, COMPANY, Office

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


@pytest.mark.parametrize(
    ("hidden", "headline"),
    [
        ("amount", "Approved with changes by Ana Diaz"),
        ("currency", "Approved for 20.00 by Ana Diaz"),
        ("department", "Approved for 20.00 USD by Ana Diaz"),
    ],
)
async def test_what_may_not_be_shown_is_not_told_by_how_it_ended(
    post_office: Office, hidden: str, headline: str
) -> None:
    routes = {"default": {"email": ["approvers"], "hide": {"slack": [hidden]}}}
    directory = replace(COMPANY, routes=routes)
    await post_office.database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, directory))
    details = {"amount": "620.00", "currency": "USD", "department": "IT"}
    asked = await post_office.ask(kind="budget", details=details, quorum=1)

    await post_office.vote(asked.id, ANA, changes={"amount": "20.00"})

    ending = (await card_of(post_office, asked.id)).ending
    assert ending is not None
    assert ending.headline == headline
