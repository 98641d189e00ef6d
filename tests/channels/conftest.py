"""The office in which stories of deliveries happen."""

from collections.abc import AsyncGenerator

import pytest

from engine.store.database import Database
from engine.tokens import Tokens
from tests.channels.office import Office, office
from tests.clock import ManualClock


@pytest.fixture
async def post_office(
    database: Database, clock: ManualClock, tokens: Tokens
) -> AsyncGenerator[Office]:
    async with office(database, clock, tokens) as opened:
        yield opened
