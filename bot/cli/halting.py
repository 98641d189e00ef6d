"""`signoff kill-switch`: let no further step begin, see what is stopped, and let it go on."""

from datetime import datetime
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors
from bot.cli.shape import Shape
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, ExitCode, finish, print_json, print_line, say, show
from engine.rules.switches import EVERYTHING


class Switch(Shape):
    """A kill switch that is engaged."""

    scope: str
    reason: str
    engaged_by: str
    engaged_at: datetime
    release_asked_by: str | None


verbs = typer.Typer(
    name="kill-switch", help="Let no step begin, and let all go on.", no_args_is_help=True
)

Scope = Annotated[
    str,
    typer.Argument(metavar="SCOPE", help="everything, tenant, workflow:NAME, agent:KEY or run:ID."),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit chain and shown.")]


@verbs.command("status", cls=Verb)
def switch_status(*, as_json: AsJson = False, url: Url = None) -> None:
    """Show which switches are engaged; it fails (1) while one is."""

    async def deed() -> ExitCode:
        async with doors(url) as server:
            found = await server.get("/api/kill-switch")
        if as_json:
            print_json(found)
        elif not found["switches"] and not found["halted"]:
            print_line("No kill switch is engaged.")
        else:
            _show([Switch.model_validate(each) for each in found["switches"]])
        return ExitCode.FAILED if found["switches"] or found["halted"] else ExitCode.DONE

    finish(deed())


@verbs.command("engage", cls=Verb)
def engage_switch(
    *, scope: Scope, reason: Reason, as_json: AsJson = False, url: Url = None
) -> None:
    """Let no step below it begin from now on; nothing is undone."""
    finish(_turn("engage", scope, reason, as_json=as_json, url=url))


@verbs.command("release", cls=Verb)
def release_switch(
    *, scope: Scope, reason: Reason, as_json: AsJson = False, url: Url = None
) -> None:
    """Let what is below it go on. For everything two people do this, each signed in."""
    finish(_turn("release", scope, reason, as_json=as_json, url=url))


async def _turn(action: str, scope: str, reason: str, *, as_json: bool, url: str | None) -> None:
    as_person = action == "release" and scope.strip() == EVERYTHING
    body = {"action": action, "scope": scope, "reason": reason}
    async with doors(url, as_person=as_person) as server:
        done = await server.post("/api/kill-switch", body)
    if as_json:
        return print_json(done)
    print_line(_said(action, done))
    if warning := done.get("warning"):
        say(warning)
    return None


def _said(action: str, done: Any) -> str:
    scope = done["scope"]
    if not done["engaged"]:
        return f"The kill switch for {scope} is released; what waited goes on."
    if action == "release":
        return (
            f"You asked to release {scope}. It stays engaged until a second operator releases it."
        )
    return f"The kill switch for {scope} is engaged: no new step begins below it."


def _show(switches: list[Switch]) -> None:
    show(
        drawing.table(
            ("switch", "since", "by", "reason", "release asked by"),
            [
                (
                    each.scope,
                    drawing.moment(each.engaged_at),
                    each.engaged_by,
                    each.reason,
                    each.release_asked_by or "",
                )
                for each in switches
            ],
        )
    )
    if not switches:
        print_line("Everything is stopped by the kill switch of this installation.")
