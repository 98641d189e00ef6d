"""Many things at a time: each lane takes the next one when it is done with one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def each(
    items: Iterable[Item], concurrency: int, do: Callable[[Item], Awaitable[Result]]
) -> list[Result]:
    """Do each of `items`, `concurrency` at a time; the results come in the order of their ends."""
    left, done = iter(items), list[Result]()

    async def one_after_the_other() -> None:
        for item in left:
            done.append(await do(item))

    async with asyncio.TaskGroup() as group:
        for _lane in range(concurrency):
            group.create_task(one_after_the_other())
    return done
