"""`signoff keys`: API keys for agents and services, shown once, revoked at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors, segment
from bot.cli.shape import Shape
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, say, show
from engine.clock import SystemClock, iso
from engine.rules.durations import parse_duration


class Key(Shape):
    """An API key, without anything from which it could be made."""

    id: str
    name: str
    scopes: Sequence[str]
    owner: str | None = None
    made_by: tuple[str, ...] = ()
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


verbs = typer.Typer(name="keys", help="API keys.", no_args_is_help=True)


@verbs.command("create", cls=Verb)
def create_key(
    *,
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="runs:start, approvals:ask, receipts, permits, signals, read, operate; may repeat."
        ),
    ],
    owner: Annotated[
        str | None, typer.Option(help="Who answers for it, as in person:ana; never counts for it.")
    ] = None,
    expires_in: Annotated[str | None, typer.Option(help="Such as 30d; 90d unless given.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Make a key and print it, this once."""
    body: dict[str, object] = {"name": name, "scopes": scope}
    if owner is not None:
        body["owner"] = owner

    async def deed() -> None:
        if expires_in is not None:
            body["expires_at"] = iso(SystemClock().now() + parse_duration(expires_in))
        async with doors(url) as server:
            made = await server.post("/api/keys", body)
        if as_json:
            return print_json(made)
        print_line(made["key"])
        return say("Keep it now: it is not shown again. Put it into SIGNOFF_API_KEY.")

    finish(deed())


@verbs.command("list", cls=Verb)
def list_keys(*, as_json: AsJson = False, url: Url = None) -> None:
    """List every key, revoked ones too."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/keys")
        if as_json:
            return print_json(page)
        found = [Key.model_validate(each) for each in page["keys"]]
        show(
            drawing.table(
                ("key", "name", "scopes", "owner", "made by", "ends", "last used", "revoked"),
                [
                    (
                        each.id,
                        each.name,
                        " ".join(each.scopes),
                        each.owner or "–",
                        ", ".join(each.made_by) or "–",
                        drawing.moment(each.expires_at),
                        drawing.moment(each.last_used_at),
                        drawing.moment(each.revoked_at),
                    )
                    for each in found
                ],
            )
        )
        return None if found else say("There are none.")

    finish(deed())


@verbs.command("revoke", cls=Verb)
def revoke_key(
    *,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id: key_….")],
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """End a key at once."""

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.delete(f"/api/keys/{segment(key)}")
        if as_json:
            return print_json(done)
        return print_line(f"{key} is revoked.")

    finish(deed())
