"""How a server's process runs: libuv's event loop where there is one, and a collector that leaves it alone."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")

# A thousand requests at once are half a million objects; by default the collector goes through all of
# them again and again, and a third of the loop's time was its. What is dropped is mostly freed at once,
# without it; of what refers to itself this keeps a few megabytes for some moments more.
COLLECTED_AFTER: Final = (25_000, 20, 50)


def run(deed: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(deed)


@contextmanager
def beginning() -> Generator[None]:
    """All that serves is imported and made: the collector waits, which would go through it again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settled() -> None:
    """All that serves has been made: the collector need not look through it any more, nor what fell off."""
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    gc.enable()


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":  # where libuv's loop is not made for Python
        return None
    import uvloop

    return uvloop.new_event_loop
