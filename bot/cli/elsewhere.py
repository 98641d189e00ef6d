"""The verb that is a program of its own: `signoff demo`."""

from typing import Annotated

import typer

from bot.cli.terminal import told


def demo(
    *,
    auto: Annotated[
        bool, typer.Option("--auto", help="Play the people too, and say whether all of it worked.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; a free one unless given.")
    ] = None,
) -> None:
    """See it work: three runs, their people, Slack and mail stand-ins, on this machine alone."""
    with told():
        from bot.demo.main import demo as play

        raise typer.Exit(play(auto=auto, port=port))
