"""Pages of a list in the terminal: how many, from where on, and how to see the rest."""

from collections.abc import Mapping, Sized
from typing import Annotated, Any

import typer

from bot.cli.terminal import say

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many.")]
After = Annotated[str | None, typer.Option(help="Go on after the page before.")]


def say_rest(
    verb: str, page: Mapping[str, Any], found: Sized, *, nothing: str = "There are none."
) -> None:
    """Say that nothing was `found`, or which command shows what `page` had no room for."""
    if not found:
        say(nothing)
    if page.get("next"):
        say(f"There are more: signoff {verb} --after {page['next']}")
