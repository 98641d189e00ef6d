"""`signoff definitions`: workflows written as YAML or JSON, checked, added and shown."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Doors, Url, doors, segment
from bot.cli.runs import Reason
from bot.cli.serve import Workflows, split
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, ExitCode, Stopped, finish, print_json, print_line, say, show
from bot.definition_files import source_of
from signoff.errors import SignoffError

verbs = typer.Typer(name="definitions", help="Workflows in YAML or JSON.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML or JSON.")]


async def sent(server: Doors, path: Path, *, to: str = "/api/definitions") -> Any:
    """What the server answers to the definition in `path`.

    Raises:
        Stopped: `bad_definition`, with the file before each of its lines.
    """
    try:
        return await server.post(to, {"source": source_of(path)})
    except SignoffError as error:
        if error.code != "bad_definition":
            raise
        lines = "\n".join(f"{path}: {line}" for line in str(error).splitlines())
        raise Stopped(lines, code=error.code, exit_code=ExitCode.USAGE) from None


@verbs.command("add", cls=Verb)
def add_definitions(
    *, files: Files, workflows: Workflows = None, as_json: AsJson = False, url: Url = None
) -> None:
    """Add workflows to the server; new runs begin with what is in these files."""

    async def deed() -> None:
        async with doors(url, workflows=split(workflows)) as server:
            for path in files:
                done = await sent(server, path)
                was = "added" if done["is_new"] else "as before"
                text = f"{done['name']}, version {done['version']}: {was}."
                print_json(done) if as_json else print_line(text)

    finish(deed())


@verbs.command("check", cls=Verb)
def check_definitions(
    *, files: Files, workflows: Workflows = None, as_json: AsJson = False, url: Url = None
) -> None:
    """Say whether files could be added, with the line of every mistake; nothing is kept."""

    async def deed() -> None:
        async with doors(url, workflows=split(workflows)) as server:
            for path in files:
                done = await sent(server, path, to="/api/definitions/check")
                text = f"{path}: {done['name']}, version {done['version']}, can be added."
                print_json(done) if as_json else print_line(text)

    finish(deed())


@verbs.command("list", cls=Verb)
def list_definitions(*, as_json: AsJson = False, url: Url = None) -> None:
    """List the workflows that were added, each with its newest version."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/definitions")
        if as_json:
            return print_json(page)
        rows = [
            (each["name"], each["version"], each["added_by"], drawing.stamp(each["added_at"]))
            for each in page["definitions"]
        ]
        show(drawing.table(("workflow", "version", "by", "added"), rows))
        if not rows:
            say("There are none.")
        return None

    finish(deed())


@verbs.command("show", cls=Verb)
def show_definition(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    version: Annotated[str | None, typer.Option(help="Not the newest.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Print a workflow as it was written."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/definitions/{segment(name)}", version=version)
        if as_json:
            return print_json(found)
        for line in found["source"].splitlines():
            print_line(line)
        return None

    finish(deed())


@verbs.command("remove", cls=Verb)
def remove_definition(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    reason: Reason,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Remove a workflow in all its versions; it is refused while a run goes by it."""

    async def deed() -> None:
        async with doors(url) as server:
            path = f"/api/definitions/{segment(name)}"
            done = await server.delete(path, reason=reason)
        if as_json:
            return print_json(done)
        return print_line(f"{name}: removed.")

    finish(deed())


@verbs.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of definitions, for editors."""
    from engine.runtime.definitions.schema import json_schema

    print_json(json_schema())
