"""The verbs that begin a server, by themselves: `signoff serve` and `signoff worker`."""

from typing import Final

import typer
from typer.main import get_command

from bot.cli import serve

__all__ = ["app", "command"]

app = typer.Typer(
    name="signoff",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(serve.worker)

command: Final = get_command(app)  # put together once for all that is typed
