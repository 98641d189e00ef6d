"""Words typed in Slack do not say which version was read, so they never answer an edited one."""

import pytest

from engine.ids import DEFAULT_TENANT
from engine.services import changing
from engine.services.changing import Edit
from engine.services.keys import Caller, Scope
from engine.store.pictures import ApprovalPicture
from tests.channels.slack.scene import ANA, ROOM, Scene

pytestmark = pytest.mark.anyio

AGENT = Caller(
    tenant=DEFAULT_TENANT,
    key=None,
    person=None,
    scopes=frozenset(Scope),
    owner=None,
    name="agent",
    kind="local",
)


async def given_it_is_edited(told: Scene, asked: ApprovalPicture) -> None:
    more = Edit(details={"order": "17", "amount": "62000.00 USD"})
    await told.database.write(lambda tx: changing.edit(tx, AGENT, asked.id, more))


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_words_typed_after_an_edit_answer_nothing(told: Scene, verb: str) -> None:
    asked = await told.ask()
    await given_it_is_edited(told, asked)

    heard = await told.slack.people.command(ANA, f"/approvals {verb} {asked.id} ok", channel=ROOM)

    assert "It was edited" in heard.text
    assert f"/approvals/{asked.id}" in heard.text
    assert await told.said(asked) == []


async def test_nor_does_a_button_from_before(told: Scene) -> None:
    asked, message = await told.posted()
    await given_it_is_edited(told, asked)

    await told.slack.people.press(ANA, message, "Approve")

    assert "edited" in await told.whisper(ANA)
    assert await told.said(asked) == []
