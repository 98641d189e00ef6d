"""Has pages compiled before anybody asks for them, once the server answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from jinja2 import Environment, TemplateError

from engine.clock import Clock

AFTER: Final = timedelta(seconds=1)  # what was due while nothing served comes first


@asynccontextmanager
async def warmed(pages: Environment, clock: Clock) -> AsyncGenerator[None]:
    """Have `pages` compiled during the block; what is not by its end is left."""
    async with asyncio.TaskGroup() as group:
        warming = group.create_task(compiled(pages, clock))
        try:
            yield
        finally:
            warming.cancel()


async def compiled(pages: Environment, clock: Clock, *, after: timedelta = AFTER) -> None:
    """Compile every page, `after` a while, in a thread and one by one, so that requests come between.

    One that cannot be compiled is left to whoever asks for it. What is asked for meanwhile is compiled
    at once, as ever.
    """
    await clock.sleep(after)
    # What many pages are made of lies deeper, and comes first.
    for name in sorted(_names(pages), key=lambda name: (-name.count("/"), name)):
        await asyncio.to_thread(_compile, pages, name)


def _names(pages: Environment) -> list[str]:
    return pages.list_templates(filter_func=lambda name: name.startswith("web/"))


def _compile(pages: Environment, name: str) -> None:
    try:
        pages.get_template(name)
    except (TemplateError, OSError, ValueError):
        return
