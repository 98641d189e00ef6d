"""`signoff runs rollback`: see what would be undone, have it undone, and take over what keeps failing."""

from typing import Annotated

import typer

from bot.cli.adopting import verbs
from bot.cli.approval_shapes import Plan
from bot.cli.connection import Url, doors, segment
from bot.cli.rollback_trees import plan_tree
from bot.cli.runs import Reason, RunId
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, show
from engine.errors import Invalid

__all__ = ["verbs"]

To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="PLACE",
        help="A checkpoint, start, latest, approved or failure; the last approved one if not given.",
    ),
]


@verbs.command("rollback", cls=Verb)
def roll_back(
    *,
    run: RunId,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept and shown.")] = None,
    to: To = None,
    resume: Annotated[bool, typer.Option("--resume", help="Let it go on from there.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Undo this step; repeatable.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Undo what is of this kind; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--plan", help="Only show what would be undone.")
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Undo what a run did, newest first; then it ends, or goes on from there."""

    async def deed() -> None:
        path = f"/api/runs/{segment(run)}/rollback"
        async with doors(url) as server:
            if dry_run:
                found = await server.get(path, to=to)
                if as_json:
                    return print_json(found)
                return show(plan_tree(Plan.model_validate(found), "It would go"))
            if reason is None:
                raise Invalid("Say why with --reason, or look with --plan.", code="bad_reason")
            mode = "resume" if resume else "stop"
            body = {
                "reason": reason,
                "to": to,
                "mode": mode,
                "only": only or None,
                "kinds": kind or None,
            }
            done = await server.post(path, body)
        if as_json:
            return print_json(done)
        return print_line(f"{run}: goes back to {done['to']}.")

    finish(deed())


@verbs.command("take-over", cls=Verb)
def take_over(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Say that the stuck undo was done by hand, and go on undoing the others."""

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post(f"/api/runs/{segment(run)}/take-over", {"reason": reason})
        if as_json:
            return print_json(done)
        return print_line(f"{run}: {done['taken_over']} was undone by hand.")

    finish(deed())
