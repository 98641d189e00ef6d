"""A workspace, a store and the endpoint between them: what stories of people pressing need."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Route

from bot.demo.outgoing import Sent
from bot.demo.serving import served
from bot.demo.slack.messages import Message
from bot.demo.slack.signing import FORM
from bot.demo.slack.standin import SlackStandIn
from channels.cards import CardBuilder
from channels.slack.channel import SlackChannel
from channels.slack.config import SlackConfig
from channels.slack.desk import Desk
from channels.slack.inbound import endpoint
from channels.slack.signature import signed
from engine.ids import DEFAULT_TENANT, PersonId, TenantId
from engine.services import approvals, configuration
from engine.services.approvals import Request
from engine.services.configuration import Directory, ListedPerson
from engine.store.database import Database, Transaction
from engine.store.pictures import ApprovalPicture
from engine.store.tables import audit
from tests.clock import ManualClock

BASE = "https://bot.example.com"
ANA, BO, CHEN, DEE = "U0ANA", "U0BO", "U0CHEN", "U0DEE"
ROOM = "C0APPROVALS"
LINKED = {"ana": ("Ana Diaz", ANA), "bo": ("Bo Larsen", BO), "chen": ("Chen Wei", CHEN)}
FINANCE = frozenset(PersonId(name) for name in LINKED)


@dataclass(frozen=True)
class Scene:
    """Everything a story needs. Dee is in the workspace, but linked to nobody."""

    slack: SlackStandIn
    database: Database
    clock: ManualClock
    channel: SlackChannel
    desk: Desk

    async def ask(self, **changes: Any) -> ApprovalPicture:
        """Ask finance for two approvals; `changes` are fields of the request."""
        asked: dict[str, Any] = {
            "title": "Refund order 17?",
            "action": "refund",
            "approvers": "group:finance",
            "quorum": 2,
            "details": {"order": "17", "amount": "620.00 USD"},
            "requester": "key:agent",
            **changes,
        }
        request = Request(**asked)

        def deed(tx: Transaction) -> ApprovalPicture:
            row = approvals.ask(tx, DEFAULT_TENANT, request, started_by="key:agent", owner=None)
            return approvals.picture(tx, DEFAULT_TENANT, row.id)

        return await self.database.of(DEFAULT_TENANT).write(deed)

    async def posted(self, **changes: Any) -> tuple[ApprovalPicture, Message]:
        """The same, and its card in the room."""
        asked = await self.ask(**changes)
        card = await self.database.of(DEFAULT_TENANT).read(
            lambda tx: self.desk.card_of(tx, DEFAULT_TENANT, asked.id, PersonId("ana"))
        )
        await self.channel.post(card, to=ROOM, key=f"dlv_{asked.id}")
        return asked, self.slack.messages(ROOM)[-1]

    async def now(self, asked: ApprovalPicture) -> ApprovalPicture:
        """The approval as it stands."""
        ours = self.database.of(DEFAULT_TENANT)
        return await ours.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, asked.id))

    async def said(self, asked: ApprovalPicture) -> list[tuple[str, str, str | None]]:
        """Who voted what, with which comment."""
        picture = await self.now(asked)
        return [(vote.person, str(vote.choice), vote.comment) for vote in picture.votes]

    async def on_record(self, kind: str) -> Sequence[Mapping[str, object]]:
        """The audit chain's entries of one kind."""
        return await self.database.read(
            lambda tx: [
                dict(row)
                for row in tx.connection.execute(
                    select(audit).where(audit.c.kind == kind)
                ).mappings()
            ]
        )

    def signed(self, body: bytes) -> Sent:
        """A form with a signature that is right, whatever its bytes are."""
        timestamp = str(int(self.clock.now().timestamp()))
        secret = self.slack.house.signing_secret.encode()
        headers = {
            "Content-Type": FORM,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signed(body, timestamp=timestamp, secret=secret),
        }
        return Sent(url=self.slack.line.url, body=body, headers=headers)

    async def whisper(self, user: str) -> str:
        """The latest sentence that only `user` sees, waited for."""
        message = await self.slack.until(lambda: next(reversed(self.slack.whispers(user)), None))
        return message.text


@asynccontextmanager
async def scene(
    slack: SlackStandIn,
    config: SlackConfig,
    *,
    database: Database,
    clock: ManualClock,
    tenants: Mapping[str, TenantId] | None = None,
) -> AsyncGenerator[Scene]:
    """Serve the endpoint of `config` to `slack`, over a store in which finance is known.

    `tenants` are those that other workspaces belong to.
    """
    desk = Desk(
        config=config,
        database=database,
        clock=clock,
        base_url=BASE,
        card_of=CardBuilder(database, base_url=BASE).card_of,
        tenants=tenants or {},
    )
    await database.of(DEFAULT_TENANT).write(
        lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed())
    )
    routes = [Route("/slack/events", endpoint(desk), methods=["POST"])]
    async with served(Starlette(routes=routes)) as url:
        slack.app_at(f"{url}/slack/events")
        channel = SlackChannel(config, clock=clock)
        yield Scene(slack=slack, database=database, clock=clock, channel=channel, desk=desk)


def listed() -> Directory:
    """Who is linked: finance, and nobody else."""
    people = tuple(
        ListedPerson(id=PersonId(id), name=name, slack=f"T0DEMO/{user}")
        for id, (name, user) in LINKED.items()
    )
    return Directory(people=people, groups={"finance": FINANCE})
