"""`signoff people` and `signoff hold`: what is held on a person, erasing them, and what must stay."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Doors, Url, doors, segment
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, say, show

people = typer.Typer(
    name="people", help="What is held on a person, and erasing them.", no_args_is_help=True
)
holds = typer.Typer(
    name="hold", help="What must be neither erased nor pruned.", no_args_is_help=True
)

Person = Annotated[str, typer.Argument(metavar="PERSON", help="Their id, as ana.")]
Scope = Annotated[str, typer.Argument(metavar="SCOPE", help="tenant, run:ID or person:ID.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit chain for ever.")]


@people.command("erase", cls=Verb)
def erase(
    *,
    person: Person,
    reason: Reason,
    no_compact: Annotated[
        bool, typer.Option("--no-compact", help="Do not write the SQLite file anew now.")
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Forget a person for good: name, addresses, and all that they wrote. Every chain stays whole."""

    async def deed() -> None:
        body = {"reason": reason, "compact": not no_compact}
        async with doors(url) as server:
            done = await server.post(f"/api/people/{_id(person)}/erase", body)
        if as_json:
            return print_json(done)
        if not done["is_new"]:
            print_line(f"{done['person']} was erased before.")
        else:
            print_line(f"{done['person']} is erased. Keys destroyed: {len(done['keys'])}.")
        if not done["compacted"]:
            say("Something may be left in the file's free room: say the same again without haste.")
        return say("If signoff.toml names them, remove those lines.")

    finish(deed())


@people.command("export", cls=Verb)
def export(*, person: Person, url: Url = None) -> None:
    """Print all that is held on a person, as lines of JSON to be handed to them."""

    async def deed() -> None:
        async with doors(url) as server:
            async for rows in _parts(server, _id(person)):
                for row in rows:
                    print_json(row)

    finish(deed())


@holds.command("place", cls=Verb)
def place(*, scope: Scope, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Keep everything, one run or one person as they are."""

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post("/api/holds", {"scope": scope, "reason": reason})
        if as_json:
            return print_json(done)
        return print_line(
            f"{done['scope']} is held, since {drawing.stamp(done['placed_at'])}: {done['reason']}"
        )

    finish(deed())


@holds.command("release", cls=Verb)
def release(*, scope: Scope, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Let what was held be erased and pruned again."""

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post("/api/holds/release", {"scope": scope, "reason": reason})
        return print_json(done) if as_json else print_line(f"{done['scope']} is not held any more.")

    finish(deed())


@holds.command("list", cls=Verb)
def list_holds(*, as_json: AsJson = False, url: Url = None) -> None:
    """List what is held, and why."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get("/api/holds")
        if as_json:
            return print_json(found)
        if not found["holds"]:
            return say("Nothing is held.")
        rows = [
            (each["scope"], drawing.stamp(each["placed_at"]), each["placed_by"], each["reason"])
            for each in found["holds"]
        ]
        return show(drawing.table(("scope", "since", "by", "reason"), rows))

    finish(deed())


async def _parts(server: Doors, person: str) -> AsyncGenerator[list[dict[str, Any]]]:
    cursor: str | None = None
    while True:
        page = await server.get(f"/api/people/{person}/data", cursor=cursor)
        yield page["rows"]
        cursor = page["next"]
        if cursor is None:
            return


def _id(person: str) -> str:
    return segment(person.removeprefix("person:"))
