"""`signoff runs diff`: what checkpoints keep, what changed between two, and carrying one elsewhere."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors, segment
from bot.cli.rolling_back import verbs
from bot.cli.runs import RunId
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, show
from engine.errors import Invalid

__all__ = ["verbs"]


@verbs.command("checkpoints", cls=Verb)
def list_checkpoints(*, run: RunId, as_json: AsJson = False, url: Url = None) -> None:
    """List a run's checkpoints, the oldest first."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/runs/{segment(run)}/checkpoints")
        if as_json:
            return print_json(found)
        rows = [
            (
                str(each["position"]),
                each["name"],
                "" if each["is_live"] else "left behind",
                each["uri"],
            )
            for each in found["checkpoints"]
        ]
        return show(drawing.table(("at", "name", "", "address"), rows))

    finish(deed())


@verbs.command("diff", cls=Verb)
def diff_checkpoints(
    *,
    run: RunId,
    before: Annotated[str, typer.Argument(metavar="FROM", help="A checkpoint, or its position.")],
    after: Annotated[str, typer.Argument(metavar="TO", help="Another one.")],
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Print what was added, removed and changed from one checkpoint to another."""

    async def deed() -> None:
        path = f"/api/runs/{segment(run)}/checkpoints/diff"
        async with doors(url) as server:
            found: dict[str, Any] = await server.get(path, **{"from": before, "to": after})
        if as_json:
            return print_json(found)
        for at, value in found["removed"].items():
            print_line(f"- {at}: {drawing.value(value)}")
        for at, value in found["added"].items():
            print_line(f"+ {at}: {drawing.value(value)}")
        for at, each in found["changed"].items():
            print_line(f"~ {at}: {drawing.value(each['from'])} -> {drawing.value(each['to'])}")
        return None

    finish(deed())


@verbs.command("export", cls=Verb)
def export_checkpoint(
    *,
    run: RunId,
    name: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Its name or position.")],
    url: Url = None,
) -> None:
    """Print what a checkpoint keeps, for `signoff runs import` elsewhere."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/runs/{segment(run)}/checkpoints/snapshot", name=name)
        print_json(found)

    finish(deed())


@verbs.command("import", cls=Verb)
def import_checkpoint(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `runs export` printed.")],
    address: Annotated[str | None, typer.Option(help="The address that it had there.")] = None,
    url: Url = None,
) -> None:
    """Keep an exported checkpoint here, under the address that it had there."""

    async def deed() -> None:
        try:
            snapshot = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise Invalid(
                f"{file} is no exported checkpoint: {error}", code="bad_snapshot"
            ) from None
        async with doors(url) as server:
            done = await server.post("/api/artifacts", {"snapshot": snapshot, "address": address})
        print_line(f"artifact:{done['address']}")

    finish(deed())
