"""The verbs that begin a server, by themselves: `signoff serve` and `signoff worker`."""

import typer

from bot.cli import serve

__all__ = ["app"]

app = typer.Typer(
    name="signoff",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(serve.worker)
