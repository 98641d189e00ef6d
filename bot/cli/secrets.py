"""`signoff secret`: whether the server's older secrets are still needed, for whoever runs it."""

from collections.abc import Sequence
from datetime import datetime

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors
from bot.cli.shape import Shape
from bot.cli.tenant import INSTALLATION
from bot.cli.terminal import AsJson, finish, print_json, print_line

verbs = typer.Typer(name="secret", help="The server's own secret.", no_args_is_help=True)


class PeopleKeys(Shape):
    """By which secrets people's keys are wrapped."""

    first: int
    older: int
    unreadable: int


class Standing(Shape):
    """What still needs an older secret."""

    since: datetime | None
    accepted: int
    needed: bool
    people_keys: PeopleKeys
    api_keys: Sequence[str]
    sessions: int
    runs: int


@verbs.command("status")
def status(*, as_json: AsJson = False, url: Url = None) -> None:
    """Say what was made under an older secret and still lives."""

    async def deed() -> None:
        async with doors(url, headers=INSTALLATION) as server:
            told = await server.get("/api/secret")
        return print_json(told) if as_json else _draw(Standing.model_validate(told))

    finish(deed())


@verbs.command("reseal")
def reseal(*, as_json: AsJson = False, url: Url = None) -> None:
    """Wrap people's keys by the first secret, as each start does, too."""

    async def deed() -> None:
        async with doors(url, headers=INSTALLATION) as server:
            told = await server.post("/api/secret/reseal", {})
        return print_json(told) if as_json else _draw(Standing.model_validate(told))

    finish(deed())


def _draw(told: Standing) -> None:
    print_line(f"first since    {drawing.moment(told.since)}")
    print_line(f"older ones     {told.accepted} still hold")
    keys = told.people_keys
    print_line(
        f"people's keys  {keys.first} under the first, {keys.older} under an older one, "
        f"{keys.unreadable} unreadable"
    )
    if not told.accepted:
        return
    print_line(f"API keys       {', '.join(told.api_keys) or 'none'}: not used since")
    print_line(f"sessions       {told.sessions} of before are open")
    print_line(f"runs           {told.runs} of before have not ended")
    print_line(
        "Something still needs an older one."
        if told.needed
        else "Nothing needs them: remove SIGNOFF_SECRET_KEY_PREVIOUS."
    )
