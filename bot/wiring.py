"""Puts one Signoff together: the store, the channels, the doors' application, the worker and the dispatcher."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from bot.anchoring.making import sinks_of
from bot.anchoring.rounds import Anchoring
from bot.application import VERSION, Application, Endpoint
from bot.config.reading import Configuration, read
from bot.databases import database_of
from bot.definition_files import sources_in
from bot.erasures import ErasureFile, erasures_path, keep_outside
from bot.retaining import Retaining
from bot.rotating import take_up, tokens_of
from bot.settings import Settings, variable
from bot.telling import free_all, tell
from bot.tracing.sending import Collector, TraceSender
from channels.base import Channel
from channels.cards import CardBuilder
from channels.dispatch import Dispatcher
from channels.registry import by_name
from channels.webhook.channel import WebhookChannel
from channels.webhook.config import WebhookTarget
from engine.clock import Clock, SystemClock
from engine.errors import Unavailable
from engine.http import Egress
from engine.ids import DEFAULT_TENANT, Ids, SystemIds, TenantId, WorkerId
from engine.runtime.definitions.adding import add_all
from engine.runtime.definitions.held import Held
from engine.runtime.executor import Executor
from engine.runtime.monitoring import Watcher
from engine.runtime.pace import Pace
from engine.runtime.worker import Worker
from engine.runtime.workflows import Workflows
from engine.services import budgets
from engine.services.anchoring import Due
from engine.services.approvals import OpenCap
from engine.signing import Signer
from engine.store.database import Database
from engine.tokens import Tokens
from signoff.registry import Workflow, registered

FOLLOW_EVERY: Final = timedelta(seconds=2)

_log = structlog.stdlib.get_logger("bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One Signoff whose database is open. It drives and delivers while `work` runs."""

    application: Application
    worker: Worker
    dispatcher: Dispatcher
    watcher: Watcher
    anchoring: Anchoring
    retaining: Retaining
    traces: TraceSender | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Drive runs, fire rungs and deliver, until cancelled, or finished after `stop`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.worker.work())
            group.create_task(self.dispatcher.run())
            group.create_task(self.watcher.watch())
            beside = [
                group.create_task(self._follow_definitions()),
                group.create_task(self.anchoring.work()),
                group.create_task(self.retaining.work()),
            ]
            if self.traces is not None:
                beside.append(group.create_task(self.traces.work()))
            await self._stopping.wait()
            for each in beside:
                each.cancel()
            self.watcher.stop()
            self.dispatcher.stop()
            self.worker.stop()

    async def _follow_definitions(self) -> None:
        # Others who share the database may add some, and then runs of theirs are to be driven here, too.
        application = self.application
        with application.database.hints.listen("definitions") as ear:
            while True:
                try:
                    await application.workflows.refresh(application.database)
                except Unavailable as error:
                    _log.warning("worker.store_away", reason=str(error))
                await ear.wait(FOLLOW_EVERY)

    def stop(self) -> None:
        """Take up nothing new; `work` returns once what is under way has its answer, the rest given back."""
        self._stopping.set()


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    authored: Mapping[str, Workflow] | None = None,
    prepares: bool = True,
) -> AsyncGenerator[Running]:
    """Signoff as `settings` and `signoff.toml` have it, until the block ends.

    The database is made or migrated, and, unless a guest says that it `prepares` nothing, told what
    the file says. Of a file that is owned, what a dead owner held is freed; where the database is
    shared, leases run out by themselves, and all goes by its clock, whatever `clock`, the machine's,
    says. Without `authored`, the workflows are those imported so far.
    Nothing is driven or sent before `work`.

    Raises:
        FileOwned: if another process owns the database.
        ChannelMisconfigured: if a channel that is configured cannot work; it names the setting.
        Invalid: if `signoff.toml`, the secret, a failpoint or a workflow is wrong.
        Unavailable: if the database cannot be opened.
    """
    ids = ids or SystemIds()
    listed = _configuration(settings) if prepares else None
    tokens = tokens_of(settings, ids)
    machine = clock or SystemClock()
    async with database_of(settings, clock=machine, ids=ids, tokens=tokens) as (database, judge):
        parts = _Parts(settings=settings, database=database, clock=judge, ids=ids, tokens=tokens)
        known = listed or Configuration()
        channels = _channels(parts, known.webhooks)
        if prepares:
            await take_up(database, tokens)
            await database.write(lambda tx: tell(tx, listed, frozenset(channels)))
            await keep_outside(database, _erasures(settings))
        if settings.shared_url is None:
            await database.write(free_all)
        authored = dict(registered() if authored is None else authored)
        workflows = Workflows(authored, Held(authored))
        await workflows.refresh(database)
        if prepares and settings.definitions is not None:
            own = workflows.of(DEFAULT_TENANT), sources_in(settings.definitions)
            await add_all(database.of(DEFAULT_TENANT), *own, by="config")
        yield _put_together(parts, channels, known, workflows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What everything else is made of."""

    settings: Settings
    database: Database
    clock: Clock
    ids: Ids
    tokens: Tokens


def _put_together(
    parts: _Parts,
    channels: Mapping[str, Channel],
    listed: Configuration,
    workflows: Workflows,
) -> Running:
    settings, database, clock, ids = parts.settings, parts.database, parts.clock, parts.ids
    cards = CardBuilder(database, base_url=settings.base_url)
    egress = Egress(allow_nets=settings.webhook_allow_nets)
    executor = Executor(database, workflows, clock, ids, egress=egress, secrets=settings.secrets())
    executor.cap = OpenCap(settings.open_approvals_max)
    anchoring = _anchoring(parts, listed.webhooks)
    name, pace = WorkerId(ids.new("wrk")), Pace(lease_for=settings.lease_for)
    return Running(
        application=Application(
            base_url=settings.base_url,
            database=database,
            clock=clock,
            ids=ids,
            tokens=parts.tokens,
            workflows=workflows,
            channels=channels,
            webhooks=listed.webhooks,
            slack=_slack_door(parts, cards, listed.slack_teams),
            trusted_proxies=settings.trusted_proxies,
            callback_allow_nets=tuple(settings.callback_allow_nets),
            open_cap=executor.cap,
            anchoring=anchoring,
            erasures=_erasures(settings),
            anchor_keys=settings.anchor_trusts,
            traces_share=None if settings.traces_url is None else settings.traces_share,
        ),
        anchoring=anchoring,
        retaining=Retaining(
            database, Signer(parts.tokens.anchor_seed), listed.retention, clock=clock
        ),
        worker=Worker(name, database, executor, workflows.pins, pace=pace),
        dispatcher=Dispatcher(database, channels, cards, clock=clock, base_url=settings.base_url),
        watcher=Watcher(database, listed.monitors_of, spent=budgets.shares),
        traces=_traces(parts, name),
    )


def _traces(parts: _Parts, name: WorkerId) -> TraceSender | None:
    settings = parts.settings
    if settings.traces_url is None:
        return None
    collector = Collector(
        url=settings.traces_url,
        version=VERSION,
        headers=settings.trace_headers(),
        share=settings.traces_share,
    )
    return TraceSender(parts.database, collector, clock=parts.clock, name=name)


def _anchoring(parts: _Parts, webhooks: Sequence[WebhookTarget]) -> Anchoring:
    settings, clock = parts.settings, parts.clock
    return Anchoring(
        parts.database,
        Signer(parts.tokens.anchor_seed),
        sinks_of(settings, webhooks, clock=clock),
        due=Due(entries=settings.anchor_entries, every=settings.anchor_every),
        clock=clock,
    )


def _erasures(settings: Settings) -> ErasureFile | None:
    path = erasures_path(settings)
    return None if path is None else ErasureFile(path)


def _configuration(settings: Settings) -> Configuration | None:
    if settings.config.exists() or "config" in settings.model_fields_set:
        return read(settings.config)
    # Started without its file, perhaps in the wrong folder: nobody is removed because of that.
    _log.warning("configuration.missing", path=str(settings.config), mend="signoff init")
    return None


def _channels(parts: _Parts, webhooks: Sequence[WebhookTarget]) -> Mapping[str, Channel]:
    settings, clock = parts.settings, parts.clock
    found: list[Channel] = []
    if (slack := settings.slack()) is not None:
        # Slack's libraries take a quarter of a second to import, so only where they are used.
        from channels.slack.channel import SlackChannel

        found.append(SlackChannel(slack, clock=clock))
    if (mail := settings.mail()) is not None:
        from channels.email.channel import EmailChannel

        found.append(EmailChannel(mail, clock=clock))
    egress = Egress(allow_nets=settings.webhook_allow_nets)
    base_url = settings.base_url
    nets = settings.callback_allow_nets
    # Always there: whoever asks may name a `callback_url`.
    found.append(
        WebhookChannel(
            webhooks,
            egress=egress,
            callbacks=Egress(allow_nets=nets, setting=variable("callback_allow_nets")),
            tokens=parts.tokens,
            clock=clock,
            base_url=base_url,
        )
    )
    return by_name(found)


def _slack_door(
    parts: _Parts, cards: CardBuilder, teams: Mapping[str, TenantId]
) -> Endpoint | None:
    slack = parts.settings.slack()
    if slack is None:
        return None
    from channels.slack.desk import Desk
    from channels.slack.inbound import endpoint

    return endpoint(
        Desk(
            config=slack,
            database=parts.database,
            clock=parts.clock,
            base_url=parts.settings.base_url,
            card_of=cards.card_of,
            tenants=teams,
        )
    )
