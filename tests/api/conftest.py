"""A whole application behind its doors, and somebody of each kind to knock."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from bot.application import Application
from bot.web.app import create_app
from channels.webhook.config import WebhookTarget
from engine.ids import SystemIds
from engine.runtime.definitions.held import Held
from engine.runtime.workflows import Workflows
from engine.store.sqlite import SqliteDatabase
from engine.tokens import Tokens
from tests.api.desk import WORKFLOWS, Desk, given_company
from tests.api.media import Quiet
from tests.clock import ManualClock


@pytest.fixture
def channels() -> dict[str, Quiet]:
    return {}


@pytest.fixture
def webhooks() -> tuple[WebhookTarget, ...]:
    return ()


@pytest.fixture
async def application(
    database: SqliteDatabase,
    clock: ManualClock,
    ids: SystemIds,
    tokens: Tokens,
    channels: dict[str, Quiet],
    webhooks: tuple[WebhookTarget, ...],
) -> Application:
    await given_company(database)
    return Application(
        base_url="http://127.0.0.1:8080",
        database=database,
        clock=clock,
        ids=ids,
        tokens=tokens,
        workflows=Workflows(WORKFLOWS, Held(WORKFLOWS)),
        channels=channels,
        webhooks=webhooks,
    )


@pytest.fixture
def app(application: Application) -> FastAPI:
    return create_app(application)


@pytest.fixture
async def desk(app: FastAPI, application: Application) -> AsyncIterator[Desk]:
    async with Desk.of(app, application) as desk:
        yield desk
