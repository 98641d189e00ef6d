"""`--auto`: plays the people through the doors they have, and says what came true."""

import asyncio
from datetime import timedelta
from typing import Final

from rich.console import Console

from bot.cli.terminal import show
from bot.demo.acts import asking, closing, crash, deployment, pizzas, refund, stories, strangers
from bot.demo.first_page import FirstPage
from bot.demo.scene import opened
from bot.demo.stage import Stage, stage
from bot.demo.table import Report
from bot.demo.timeline import Timeline
from engine.clock import Clock

DEADLINE: Final = "12s"  # how long the pizzas wait; longer than all that comes before usually takes
PATIENCE: Final = timedelta(minutes=2)
ACTS: Final = (
    asking.play,
    strangers.play,
    refund.press,
    crash.play,
    refund.follow_link,
    deployment.play,
    stories.play,
    pizzas.play,
    closing.play,
)


async def play(clock: Clock, console: Console, *, port: int) -> int:
    """Everything once, within two minutes; 0 only if all of it came true.

    Raises:
        OSError: if `port` is taken.
        NotStarted: if the server does not come up.
    """
    report, first, began = Report(), FirstPage(), clock.now()
    async with stage(clock, first=first.routes, port=port) as made:
        trouble = await _played(made, first, report, console)
        took = (clock.now() - began).total_seconds()
        show("", report.table())
        if not report.is_well:
            print(f"\nThe end of the server's log:\n{made.server.log_tail()}")
        if trouble:
            print(f"\nIt ended early: {trouble}")
    ended = "All of it came true" if report.is_well else "Not all of it came true"
    print(f"\n{ended}, in {took:.0f} s.")
    return 0 if report.is_well else 1


async def _played(made: Stage, first: FirstPage, report: Report, console: Console) -> str:
    timeline = Timeline(made.api, made.clock, console)
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()), asyncio.TaskGroup() as group:
            watching = group.create_task(timeline.watch())
            scene = first.scene = await opened(made, deadline=DEADLINE)
            for act in ACTS:
                await act(scene, report)
            watching.cancel()
        await timeline.look()
    except Exception as error:  # border: whatever stopped it, the table says what is missing
        return f"{type(error).__name__}: {error}"
    return ""
