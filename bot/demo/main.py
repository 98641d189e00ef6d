"""`signoff demo`: the entry, for people and for `--auto`."""

import asyncio
import sys

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
    going = played.play if auto else by_hand.show
    try:
        return asyncio.run(going(SystemClock(), console, port=port or 0))
    except NotStarted as told:
        print(told, file=sys.stderr)
    except OSError as error:
        print(f"The demo cannot listen: {error.strerror}. Choose another --port.", file=sys.stderr)
    return 1
