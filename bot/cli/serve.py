"""`signoff serve`: the server, in the foreground, until it is told to stop."""

import logging
import os
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from bot import loops
from bot.cli.terminal import AsJson, print_json, print_line, told
from bot.settings import Settings, load
from engine.errors import Invalid

if TYPE_CHECKING:
    from bot.serving import Served

Workflows = Annotated[
    list[str] | None,
    typer.Option(
        "--workflows",
        metavar="MODULE",
        help="A module that holds workflows, such as shop.refunds; may be repeated.",
    ),
]


def serve(
    *,
    workflows: Workflows = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port to listen on.")
    ] = None,
    definitions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder of workflows in YAML or JSON, added first."),
    ] = None,
    doors_only: Annotated[
        bool,
        typer.Option("--doors-only", help="Leave runs and deliveries to `signoff worker`."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every single run too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the inbox, the API and the channels, and drive runs. The log goes to stderr."""
    with told(), loops.beginning():
        settings = _settings(
            host=host, port=port, definitions=definitions, doors_only=doors_only or None
        )
        # What only a server needs takes half a second to import.
        from bot.logbook import configure
        from bot.serving import serve as serve_until_stopped
        from bot.workflow_modules import load_workflows

        configure(settings.log_format, level=logging.DEBUG if verbose else logging.INFO)
        authored = load_workflows((*settings.workflows, *split(workflows)))

        _run(
            serve_until_stopped(
                settings,
                announce=partial(_announce, as_json=as_json),
                authored=authored,
            )
        )


def worker(
    *,
    workflows: Workflows = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every single run too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Drive runs and deliver messages beside `signoff serve`, any number of them on one PostgreSQL."""
    with told(), loops.beginning():
        settings = load()
        from bot.databases import name_of
        from bot.logbook import configure
        from bot.serving import work
        from bot.workflow_modules import load_workflows

        configure(settings.log_format, level=logging.DEBUG if verbose else logging.INFO)
        authored = load_workflows((*settings.workflows, *split(workflows)))

        def announce() -> None:
            loops.settled()
            if as_json:
                print_json({"database": name_of(settings)})
            else:
                print_line(f"A worker is at work on {name_of(settings)}")

        _run(work(settings, announce=announce, authored=authored))


def _run(server: Coroutine[None, None, bool]) -> None:
    finished = loops.run(server)
    if not finished:
        # A thread that runs a step cannot be stopped, and Python would wait for it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def split(modules: list[str] | None) -> list[str]:
    """The modules that were named, with commas or one by one."""
    return [name.strip() for each in modules or [] for name in each.split(",") if name.strip()]


def _settings(**said: object) -> Settings:
    settings = load()
    given = {name: value for name, value in said.items() if value is not None}
    if not given:
        return settings
    try:
        # Read again, because the address that people are told follows from these two.
        return Settings(Path(".env"), **given)
    except ValidationError as refused:
        sentences = [f"--{error['loc'][0]} {error['msg']}" for error in refused.errors()]
        raise Invalid("\n".join(sentences), code="bad_settings") from None


def _announce(served: "Served", *, as_json: bool) -> None:
    loops.settled()
    _tell(served, as_json=as_json)


def _tell(served: "Served", *, as_json: bool) -> None:
    if as_json:
        return print_json({"url": served.url, "sign_in": served.sign_in})
    print_line(f"Signoff is at {served.url}")
    if served.sign_in is not None:
        print_line(f"{served.operator} signs in, once, within ten minutes, at\n  {served.sign_in}")
    if not served.can_mail:
        print_line("No mail is set up: links that sign people in are printed here.")
    return None
