"""`signoff runs settle`: say whether a step happened of which its run does not know."""

from typing import Annotated

import typer

from bot.cli.adopting import verbs
from bot.cli.connection import Url, doors, segment
from bot.cli.runs import Reason, RunId
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line
from engine.rules.json_objects import NotExact, read_value

__all__ = ["parsed", "verbs"]


@verbs.command("settle", cls=Verb)
def settle_run(
    *,
    run: RunId,
    happened: Annotated[
        bool, typer.Option("--happened/--did-not-happen", help="Whether the step had its effect.")
    ],
    reason: Reason,
    result: Annotated[
        str | None, typer.Option("--result", help="What the step returns if it happened: JSON.")
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option(help="Which step, where branches left several in doubt: its request id."),
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Say whether a step happened that must not happen twice; its run goes on."""
    if result is not None and not happened:
        raise typer.BadParameter("What did not happen has no result.", param_hint="--result")
    outcome = "happened" if happened else "did_not_happen"
    body = {"outcome": outcome, "result": parsed(result), "reason": reason}
    if request_id is not None:
        body["request_id"] = request_id

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post(f"/api/runs/{segment(run)}/settle", body)
        if as_json:
            return print_json(done)
        what = "what happened is not done again" if happened else "it is done once more"
        return print_line(f"{run}: {what}.")

    finish(deed())


def parsed(result: str | None, *, option: str = "--result") -> object:
    """The JSON that was given for `option`, if any.

    Raises:
        typer.BadParameter: if it is none.
    """
    if result is None:
        return None
    try:
        return read_value(result)
    except NotExact as error:
        said = (
            f"It cannot be read: {error}. A text is written in quotes, inside those of the shell."
        )
        raise typer.BadParameter(said, param_hint=option) from None
