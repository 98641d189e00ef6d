"""Who goes first is let pass, and nobody waits for ever."""

import asyncio
from datetime import timedelta

import pytest

from engine.store.precedence import Precedence

pytestmark = pytest.mark.anyio

LONG, SHORT = timedelta(minutes=10), timedelta(milliseconds=5)


async def test_whoever_may_wait_no_longer_goes_on() -> None:
    precedence = Precedence()

    with precedence.going_first():
        await precedence.let_pass(SHORT)


async def test_others_go_on_once_all_who_go_first_have_passed() -> None:
    precedence = Precedence()

    async with asyncio.TaskGroup() as group:
        with precedence.going_first():
            with precedence.going_first():
                waiting = group.create_task(precedence.let_pass(LONG))
                await precedence.let_pass(SHORT)
            await precedence.let_pass(SHORT)
            is_early = waiting.done()

    assert not is_early
    await precedence.let_pass(LONG)
