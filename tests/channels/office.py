"""A store, a mail server and an endpoint, and the dispatcher between them: all of it real."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.demo.hooks.standin import HooksStandIn
from bot.demo.mail.standin import MailStandIn
from bot.demo.serving import served
from channels.base import Channel
from channels.cards import CardBuilder
from channels.dispatch import Dispatcher
from channels.email.channel import EmailChannel
from channels.webhook.channel import WebhookChannel
from channels.webhook.config import WebhookTarget
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, SystemIds
from engine.rules.tally import Choice
from engine.services import approvals, configuration, votes
from engine.services.approvals import Request
from engine.services.configuration import Directory, ListedPerson
from engine.services.votes import Ballot, CastReceipt
from engine.store import routings
from engine.store.database import Database, Transaction
from engine.store.pictures import ApprovalPicture
from engine.store.tables import messages, outbox
from engine.tokens import Tokens
from tests.channels.email.conftest import channel_of as mailing
from tests.channels.webhook.conftest import NEW, channel_of, target
from tests.clock import ManualClock

BASE = "https://bot.example.com"
ANA, BO, CHEN, ERP = (PersonId(name) for name in ("ana", "bo", "chen", "erp-approver"))
COMPANY = Directory(
    people=(
        ListedPerson(id=ANA, name="Ana Diaz", email="ana@example.com"),
        ListedPerson(id=BO, name="Bo Chen", email="bo@example.com"),
        ListedPerson(id=CHEN, name="Chen Wei", email="chen@example.com"),
        ListedPerson(id=ERP, name="ERP"),
    ),
    groups={"finance": frozenset({ANA, BO, ERP})},
    roles={"operator": frozenset({CHEN})},
    routes={
        "default": {"email": ["approvers"], "webhook": ["erp"]},
        "operators": {"email": ["approvers"]},
    },
)


@dataclass(frozen=True)
class Office:
    """Everything a story of deliveries needs. Chen is the operator; Ana, Bo and the ERP approve."""

    database: Database
    clock: ManualClock
    mail: MailStandIn
    hooks: HooksStandIn
    channels: Mapping[str, Channel]
    erp: WebhookTarget

    def dispatcher(self, **changes: Any) -> Dispatcher:
        """A dispatcher of its own; `changes` are its other arguments."""
        cards = CardBuilder(self.database, base_url=BASE)
        with_defaults = {"channels": self.channels, "clock": self.clock, **changes}
        return Dispatcher(self.database, cards=cards, base_url=BASE, **with_defaults)

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

        def deed(tx: Transaction) -> ApprovalPicture:
            row = approvals.ask(
                tx, DEFAULT_TENANT, Request(**asked), started_by="key:agent", owner=None
            )
            return approvals.picture(tx, DEFAULT_TENANT, row.id)

        return await self.database.write(deed)

    async def vote(
        self,
        approval: ApprovalId,
        person: PersonId,
        choice: Choice = Choice.APPROVE,
        *,
        digest: str | None = None,
        changes: Mapping[str, object] | None = None,
    ) -> CastReceipt:
        """Vote, as the one door takes it."""
        ballot = Ballot(
            tenant=DEFAULT_TENANT, approval=approval, person=person, choice=choice, channel="web",
            identified_by="session", digest=digest, changes=changes,
        )  # fmt: skip
        return await votes.vote(self.database, ballot)

    async def now(self, approval: ApprovalId) -> ApprovalPicture:
        """The approval as it stands."""
        return await self.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, approval))

    async def deliveries(self, **having: str) -> list[Any]:
        """The outbox rows with these values, oldest first."""
        return await self._rows(outbox, having)

    async def messages(self, **having: str) -> list[Any]:
        """The message rows with these values, oldest first."""
        return await self._rows(messages, having)

    async def _rows(self, table: Any, having: Mapping[str, str]) -> list[Any]:
        wanted = [table.c[name] == value for name, value in having.items()]
        query = select(table).where(*wanted).order_by(table.c.id)
        return await self.database.read(lambda tx: list(tx.connection.execute(query)))


@asynccontextmanager
async def office(
    database: Database, clock: ManualClock, tokens: Tokens, *, listed: Directory = COMPANY
) -> AsyncGenerator[Office]:
    """Open the office over `database`, with everybody in `listed` known."""
    mail = MailStandIn(clock=clock, ids=SystemIds())
    hooks = HooksStandIn([NEW], clock=clock, ids=SystemIds())
    await database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed))
    known = frozenset({"email", "webhook", "slack"})
    await database.write(lambda tx: routings.set_channels(tx, known))
    async with mail.listening(), served(hooks.app) as url:
        hooks.at(url)
        erp = target(hooks.url)
        emails: EmailChannel = mailing(mail, clock)
        webhooks: WebhookChannel = channel_of(clock, tokens, erp)
        yield Office(
            database=database, clock=clock, mail=mail, hooks=hooks, erp=erp,
            channels={"email": emails, "webhook": webhooks},
        )  # fmt: skip
