"""`signoff audit`: the record listed, anchored, verified and exported."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Doors, Url, doors
from bot.cli.paging import After, Limit, say_rest
from bot.cli.tenant import Verb
from bot.cli.terminal import (
    AsJson,
    ExitCode,
    finish,
    print_json,
    print_line,
    say,
    told,
    usage,
)

verbs = typer.Typer(
    name="audit", help="The record: listed, anchored, verified, exported.", no_args_is_help=True
)


@verbs.command("list", cls=Verb)
def list_audit(
    *,
    kind: Annotated[str | None, typer.Option(help="Only kinds that begin so, as vote.")] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List what has no run: sign-ins, keys, refused votes; the newest first."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/audit", kind=kind, limit=limit, cursor=after)
        if as_json:
            return print_json(page)
        for entry in page["entries"]:
            data = drawing.value(entry["data"])
            print_line(f"{entry['position']:>6}  {entry['at']}  {entry['kind']}  {data}")
        say_rest("audit list", page, page["entries"])
        return None

    finish(deed())


@verbs.command("anchor", cls=Verb)
def anchor(*, as_json: AsJson = False, url: Url = None) -> None:
    """Sign how far every chain has come, and print that: one line for each anchor, to be kept elsewhere."""

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post("/api/audit/anchors", {})
        if as_json:
            return print_json(done)
        for made in done["anchors"]:
            print_json({"signature": made["signature"], "statement": made["statement"]})
        if not done["anchors"]:
            say("Nothing was written since the last anchor.")
        return None

    finish(deed())


@verbs.command("key", cls=Verb)
def key(*, as_json: AsJson = False, url: Url = None) -> None:
    """Print the public key that signs anchors; keep it where nobody at the database can change it."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get("/api/audit/key")
        if as_json:
            return print_json(found)
        return print_line(found["key"])

    finish(deed())


@verbs.command("verify", cls=Verb)
def verify(
    *,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Anchors that were kept outside; the file of the settings unless given.",
        ),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check this export, without a database.")
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="The public key to trust; may be repeated."),
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Walk every chain: what is not as it was written, and what no anchor tells of yet; exit code 1 for damage."""
    from bot.cli import proving

    kept = anchors or []
    if export is not None:
        return finish(proving.of_export(export, keys or [], kept, as_json=as_json))

    async def deed() -> ExitCode:
        async with doors(url) as server:
            report = await server.get("/api/audit/verify")
            trusted = keys or proving.keys_of(await server.get("/api/audit/key"))
            report = await proving.with_witnesses(server, report, kept or _beside(server), trusted)
        return proving.tell(report, as_json=as_json)

    return finish(deed())


@verbs.command("export", cls=Verb)
def export(
    *,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where; a file that is not there.")],
    as_csv: Annotated[
        bool, typer.Option("--csv", help="As a table for people; only JSON lines can be verified.")
    ] = False,
    url: Url = None,
) -> None:
    """Write the whole record to a file, which can be verified anywhere."""
    with told():
        if to.exists():
            raise usage(f"{to} is there already; name another file.", code="file_exists")

    async def deed() -> None:
        from bot.record_csv import rows_of

        count = 0
        async with doors(url) as server:
            with to.open("x", encoding="utf-8", newline="") as file:
                async for lines in _pages(server, readable=as_csv):
                    count += len(lines)
                    file.writelines(rows_of(lines) if as_csv else _ended(lines))
        say(f"{to}: {count} lines")

    finish(deed())


def _beside(server: Doors) -> list[Path]:
    """The file of anchors that this folder's settings name, if it is there."""
    from bot.anchoring.making import anchors_path

    path = None if server.settings is None else anchors_path(server.settings)
    return [path] if path is not None and path.is_file() else []


async def _pages(server: Doors, *, readable: bool) -> AsyncGenerator[list[str]]:
    cursor = None
    while True:
        page: Any = await server.get("/api/audit/export", cursor=cursor, readable=readable or None)
        yield page["lines"]
        cursor = page["next"]
        if cursor is None:
            return


def _ended(lines: list[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)
