"""A whole application, its pages, and browsers of whoever is needed."""

from collections.abc import AsyncIterator

import pytest

from bot.application import Application
from engine.ids import SystemIds
from engine.runtime.workflows import Workflows
from engine.store.sqlite import SqliteDatabase
from engine.tokens import Tokens
from signoff.registry import registered
from tests.api.desk import given_company
from tests.clock import ManualClock
from tests.web.site import ANA, BO, DANA, Browser, Site


@pytest.fixture
async def application(
    database: SqliteDatabase, clock: ManualClock, ids: SystemIds, tokens: Tokens
) -> Application:
    await given_company(database)
    return Application(
        base_url="http://127.0.0.1:8080",
        database=database,
        clock=clock,
        ids=ids,
        tokens=tokens,
        workflows=Workflows(dict(registered())),
    )


@pytest.fixture
async def site(application: Application) -> AsyncIterator[Site]:
    async with Site.of(application) as site:
        yield site


@pytest.fixture
async def ana(site: Site) -> AsyncIterator[Browser]:
    """An approver."""
    async with site.browser(ANA) as browser:
        yield browser


@pytest.fixture
async def bo(site: Site) -> AsyncIterator[Browser]:
    """Another approver."""
    async with site.browser(BO) as browser:
        yield browser


@pytest.fixture
async def dana(site: Site) -> AsyncIterator[Browser]:
    """An operator, who approves nothing."""
    async with site.browser(DANA) as browser:
        yield browser
