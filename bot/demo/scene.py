"""The three requests of the demo, and what everybody who plays in it needs to know of them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.demo import people
from bot.demo.api import Api
from bot.demo.hooks.deliveries import Delivery
from bot.demo.mail.mailbox import Mail
from bot.demo.slack.messages import Message
from bot.demo.stage import Stage
from bot.demo.table import demand
from bot.demo.trees import text
from bot.demo.world import World

LIVE = frozenset(  # the buttons that vote, or lead to a window that does
    {"Approve", "Approve…", "Approve so", "Change…", "Fill in…", "Grant less…", "Reject…"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run that asked, and what it asked."""

    run: str
    approval: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The stage with three runs that wait."""

    stage: Stage
    refund: Asked
    deployment: Asked
    pizzas: Asked

    @property
    def all(self) -> tuple[Asked, ...]:
        """The three."""
        return self.refund, self.deployment, self.pizzas

    @property
    def api(self) -> Api:
        """The server's doors."""
        return self.stage.api

    @property
    def world(self) -> World:
        """The stand-ins."""
        return self.stage.world

    async def card(self, asked: Asked) -> Message:
        """The card of `asked` in the room, waited for."""
        return await self.world.slack.message(people.ROOM, holding=asked.title)

    async def mail(self, asked: Asked, to: people.Somebody) -> Mail:
        """The first mail about `asked`, waited for."""
        return await self.world.mail.mailbox.arrival(to.email, holding=asked.title)

    async def event(self, asked: Asked, type: str) -> Delivery:
        """What the other system heard of `asked`, waited for."""

        def heard() -> Delivery | None:
            found = self.world.hooks.received(type)
            return next((one for one in found if one.approval["id"] == asked.approval), None)

        return await self.world.hooks.deliveries.changes.until(heard)

    @asynccontextmanager
    async def unchanged(self, *asked: Asked) -> AsyncGenerator[None]:
        """See that whatever the block does leaves no trace in the journals of `asked`.

        Raises:
            Untrue: if it did.
        """
        before = [await self.api.journal(each.run) for each in asked]
        yield
        for each, lines in zip(asked, before, strict=True):
            new = [line.kind for line in (await self.api.journal(each.run))[len(lines) :]]
            demand(not new, f"{each.title} has new entries: {', '.join(new)}.")


async def asked(stage: Stage, workflow: str, arguments: dict[str, object]) -> Asked:
    """Start a run over the API and wait until the other system hears what it asks.

    Raises:
        TimeoutError: if it does not ask in time.
    """
    run = await stage.api.start(workflow, arguments, key=stage.ids.new("demo"))
    return await _heard(stage, run, "")


async def asked_next(stage: Stage, before: Asked) -> Asked:
    """What the run asks after `before`, once the other system hears of it.

    Raises:
        TimeoutError: if it does not ask in time.
    """
    return await _heard(stage, before.run, before.approval)


async def _heard(stage: Stage, run: str, before: str) -> Asked:
    def heard() -> Delivery | None:
        found = stage.world.hooks.received("approval.opened")
        of_it = (one for one in found if one.approval["run"] == run)
        return next((one for one in of_it if one.approval["id"] != before), None)

    opened = await stage.world.hooks.deliveries.changes.until(heard)
    return Asked(
        run=run, approval=text(opened.approval, "id"), title=text(opened.approval, "title")
    )


async def opened(stage: Stage, *, deadline: str) -> Scene:
    """Start the three runs; nobody has to answer for the pizzas longer than `deadline`."""
    return Scene(
        stage=stage,
        refund=await asked(stage, "refund_order", {"order": "17", "amount": "620.00 EUR"}),
        deployment=await asked(stage, "deploy_release", {"release": "4.2"}),
        pizzas=await asked(stage, "order_pizzas", {"count": 100, "deadline": deadline}),
    )
