"""`signoff demo`: the entry, for people and for `--auto`."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from rich.console import Console

from bot.demo import auto as played
from bot.demo import by_hand
from bot.demo.server import NotStarted
from engine.clock import SystemClock


def demo(*, auto: bool, port: int | None) -> int:
    """Set everything up on this machine alone, and serve it or play it; the exit code."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, no_color=True, width=160)
    clock = SystemClock()
    try:
        if auto:
            return asyncio.run(_tidily(played.play(clock, console, port=port or 0)))
        return asyncio.run(by_hand.show(clock, console, port=port or 0))
    except NotStarted as told:
        print(told, file=sys.stderr)
    except OSError as error:
        print(f"The demo cannot listen: {error.strerror}. Choose another --port.", file=sys.stderr)
    except asyncio.CancelledError:
        print("Ended before it was over.", file=sys.stderr)
    return 1


async def _tidily(playing: Coroutine[Any, Any, int]) -> int:
    """See that the server is not left behind when this process is asked to end."""
    if task := asyncio.current_task():
        for each in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(each, task.cancel)
    return await playing
