"""The event loop on which a server runs: libuv's where there is one, the standard library's elsewhere."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(deed: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(deed)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":  # where libuv's loop is not made for Python
        return None
    import uvloop

    return uvloop.new_event_loop
