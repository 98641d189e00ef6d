"""`signoff demo`: the same stage without actors, until somebody has seen enough."""

import asyncio
import signal
from typing import Final

from rich.console import Console
from rich.panel import Panel

from bot.demo.first_page import FirstPage
from bot.demo.scene import opened
from bot.demo.server import Server
from bot.demo.stage import Stage, stage
from bot.demo.timeline import Timeline
from engine.clock import Clock

DEADLINE: Final = "5m"
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def show(clock: Clock, console: Console, *, port: int) -> int:
    """Serve the demo until Ctrl-C; 1 if the server ended before that.

    Raises:
        OSError: if `port` is taken.
        NotStarted: if the server does not come up.
    """
    first, stop = FirstPage(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _ENDING:
        loop.add_signal_handler(each, stop.set)
    console.print("Starting Signoff, a Slack, a mail server and a webhook receiver …", style="dim")
    async with stage(clock, first=first.routes, port=port) as made:
        timeline = Timeline(made.api, clock, console)
        first.changes = timeline.changes
        first.scene = await opened(made, deadline=DEADLINE)
        _say_where(made, console)
        try:
            died = await _watched(timeline, made.server, stop)
        finally:
            timeline.changes.close()
        if died is not None:
            print(f"The server ended with {died}:\n{made.server.log_tail()}")
    console.print("Ended. Nothing is left of it.")
    return 0 if died is None else 1


def _say_where(made: Stage, console: Console) -> None:
    lines = (
        f"Open  {made.url}",
        "",
        "Three runs wait for people: a refund, a deployment, and 100 pizzas,",
        f"which are given up in {DEADLINE}. Decide each wherever you like: in the Slack,",
        "the mailboxes, the webhook receiver or the inbox. All of it is on this",
        "machine, and Ctrl-C ends it.",
    )
    console.print(Panel("\n".join(lines), title="Signoff", title_align="left", expand=False))


async def _watched(timeline: Timeline, server: Server, stop: asyncio.Event) -> int | None:
    """Tell what happens until `stop`; the server's exit code, if it ends before."""
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(timeline.watch())
        stopping = group.create_task(stop.wait())
        ending = group.create_task(server.ended())
        await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
        died = None if stop.is_set() else ending.result()
        for task in (watching, stopping, ending):
            task.cancel()
    return died
