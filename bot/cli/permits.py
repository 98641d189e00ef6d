"""`signoff permits`: the public keys of permits, and whether somebody's permit is good, without asking a server."""

import sys
from typing import Annotated

import typer

from bot.cli.connection import Url, doors
from bot.cli.settling import parsed
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, ExitCode, Stopped, finish, print_json, print_line, told, usage
from engine.ids import DEFAULT_TENANT
from signoff.permits import PermitRefused
from signoff.permits import verify as checked

verbs = typer.Typer(
    name="permits", help="Proof for a target that an effect was granted.", no_args_is_help=True
)


@verbs.command("keys", cls=Verb)
def list_keys(
    *,
    whose: Annotated[str, typer.Argument(metavar="TENANT", help="Whose permits.")] = DEFAULT_TENANT,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Print the public keys with which permits are checked: the one that signs now first."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get("/.well-known/signoff-permits", tenant=whose)
        if as_json:
            return print_json(found)
        for each in found["keys"]:
            print_line(each["key"])
        return None

    finish(deed())


@verbs.command("verify")
def verify(
    *,
    permit: Annotated[
        str, typer.Argument(metavar="PERMIT", help="Its token; - reads it from stdin.")
    ],
    audience: Annotated[str, typer.Option(help="The target that it must be for.")],
    action: Annotated[str, typer.Option(help="What is about to be done.")],
    payload: Annotated[str | None, typer.Option(help="With what: JSON.")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="A public key to trust; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a permit is good for this effect, without a server; exit code 3 if not. It is not spent."""
    effect = parsed(payload, option="--payload")
    with told():
        if not keys:
            raise usage("Say which --key to trust, as `signoff permits keys` prints it.")
        token = sys.stdin.read().strip() if permit == "-" else permit
        try:
            found = checked(token, keys, action=action, payload=effect, audience=audience)
        except PermitRefused as error:
            raise Stopped(str(error), code=error.code, exit_code=ExitCode.REFUSED) from None
        except ValueError as error:
            raise usage(str(error), code="bad_key") from None
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            print_line(
                f"{found.id}: good until {found.expires_at:%H:%M:%S} UTC, for {found.request_id}."
            )
