"""While the store is slow nobody is told that a vote was recorded, and pressing again counts once."""

from threading import Event

import anyio
import pytest

from engine.rules import ballots
from tests.channels.slack.scene import ANA, BO, ROOM, Scene

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class Busy:
    """The store's one writer, held by somebody else until `done`."""

    def __init__(self, told: Scene) -> None:
        self._told = told
        self._begun, self._over = anyio.Event(), Event()

    async def hold(self) -> None:
        """Occupy the writer."""
        loop_begun = self._begun
        loop_begun.set()
        await self._told.database.write(lambda _tx: self._over.wait(30))

    async def begun(self) -> None:
        await self._begun.wait()

    def done(self) -> None:
        self._over.set()


async def test_a_slow_store_is_not_confirmed_and_the_next_press_counts_once(told: Scene) -> None:
    asked, message = await told.posted()
    busy = Busy(told)

    async with anyio.create_task_group() as background:
        background.start_soon(busy.hold)
        await busy.begun()
        heard = await told.slack.people.press(ANA, message, "Approve")
        first = await told.whisper(ANA)
        busy.done()
    await told.slack.people.press(ANA, message, "Approve")

    assert (heard.status, first) == (200, ballots.not_recorded())
    await told.slack.until(lambda: told.slack.whispers(ANA)[1:] or None)
    assert await told.said(asked) == [("ana", "approve", None)]


async def test_a_slow_store_keeps_the_window_and_what_was_typed(told: Scene) -> None:
    asked, message = await told.posted()
    await told.slack.people.press(BO, message, "Reject…")
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)
    busy = Busy(told)

    async with anyio.create_task_group() as background:
        background.start_soon(busy.hold)
        await busy.begun()
        sent = await told.slack.people.submit(BO, {"Comment": "No"})
        busy.done()
    again = await told.slack.people.submit(BO, {"Comment": "No"})

    assert sent.errors == {"signoff:comment": ballots.not_recorded()}
    assert again.accepted
    assert await told.said(asked) == [("bo", "reject", "No")]


async def test_a_slow_store_answers_a_command_truthfully(told: Scene) -> None:
    asked = await told.ask()
    busy = Busy(told)

    async with anyio.create_task_group() as background:
        background.start_soon(busy.hold)
        await busy.begun()
        for words in (f"approve {asked.id}", "mine"):
            heard = await told.slack.people.command(ANA, f"/approvals {words}", channel=ROOM)
            assert heard.json["text"] == ballots.not_recorded()
        busy.done()
