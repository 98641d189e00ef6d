"""All verbs of `signoff`: those of a client of the server's doors, and those that begin a server."""

from typing import Annotated, Final

import typer
from typer.main import get_command

from bot.cli import (
    approvals,
    audit,
    bench,
    budgets,
    cases,
    chaos,
    checkpoints,
    definitions,
    elsewhere,
    halting,
    keys,
    login,
    outbox,
    people,
    permits,
    receipts,
    secrets,
    serve,
    setting_up,
    slack,
    start,
    storage,
    tenants,
    traces,
)
from bot.cli.tenant import Verb

__all__ = ["app", "command"]

app = typer.Typer(
    name="signoff",
    help="Runs ask, people answer, and the run goes on or is undone.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 not understood, 3 refused.",
)


@app.callback(invoke_without_command=True)
def signoff(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Runs ask, people answer, and the run goes on or is undone."""
    if version:
        from importlib.metadata import version as installed

        print(f"signoff {installed('signoff')}")
        raise typer.Exit


app.command()(elsewhere.demo)
app.command()(serve.serve)
app.command()(serve.worker)
app.command()(setting_up.init)
app.command()(setting_up.doctor)
app.command()(storage.migrate)
app.command()(storage.backup)
app.command()(storage.restore)
app.command(cls=Verb)(start.run)
app.add_typer(checkpoints.verbs)
app.add_typer(traces.verbs)
app.add_typer(definitions.verbs)
app.add_typer(approvals.verbs)
app.add_typer(halting.verbs)
app.add_typer(outbox.verbs)
app.add_typer(receipts.verbs)
app.add_typer(permits.verbs)
app.add_typer(cases.verbs)
app.add_typer(budgets.verbs)
app.add_typer(keys.verbs)
app.add_typer(secrets.verbs)
app.add_typer(tenants.verbs)
app.add_typer(people.people)
app.add_typer(people.holds)
app.add_typer(audit.verbs)
app.add_typer(slack.verbs)
app.command(cls=Verb)(login.login)
app.command(cls=Verb)(login.logout)
app.add_typer(bench.verbs)
app.command()(chaos.chaos)

command: Final = get_command(app)  # put together once for all that is typed
