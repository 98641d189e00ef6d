"""`signoff runs adopt`: runs that are to go on with another version of their workflow."""

from typing import Annotated, Any

import typer

from bot.cli.connection import Doors, Url, doors, segment
from bot.cli.runs import Reason, verbs
from bot.cli.serve import Workflows, split
from bot.cli.terminal import AsJson, ExitCode, finish, print_json, print_line, say
from engine.errors import Invalid

To = Annotated[str, typer.Option("--to", metavar="V", help="The version to go on with.")]


__all__ = ["verbs"]


@verbs.command("adopt")
def adopt_runs(
    *,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="The run, as in run_….")] = None,
    to: To,
    reason: Reason,
    workflow: Annotated[str | None, typer.Option("--workflow", help="All runs of this.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="V", help="Those that began with this version.")
    ] = None,
    workflows: Workflows = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Let a run, or all runs of a version, go on with another version that accepts their journals."""

    async def deed() -> ExitCode:
        async with doors(url, workflows=split(workflows)) as server:
            if run is not None and workflow is None and since is None:
                body = {"to": to, "reason": reason}
                done = await server.post(f"/api/runs/{segment(run)}/adopt", body)
                print_json(done) if as_json else print_line(f"{run}: goes on with version {to}.")
                return ExitCode.DONE
            if run is not None or workflow is None or since is None:
                raise Invalid(
                    "Name one run, or all of a version: --workflow NAME --from V --to V.",
                    code="bad_adoption",
                )
            body = {"workflow": workflow, "from": since, "to": to, "reason": reason}
            return _told(await _all(server, body), to, as_json=as_json)

    finish(deed())


async def _all(server: Doors, body: dict[str, str]) -> dict[str, Any]:
    adopted: list[str] = []
    while True:
        page: dict[str, Any] = await server.post("/api/runs/adopt", body)
        adopted += page["adopted"]
        # Those that were refused would come again, before all others.
        if not page["more"] or not page["adopted"]:
            return {**page, "adopted": adopted}


def _told(done: dict[str, Any], to: str, *, as_json: bool) -> ExitCode:
    if as_json:
        print_json(done)
    else:
        print_line(f"{len(done['adopted'])} runs go on with version {to}.")
        for each in done["refused"]:
            say(f"{each['id']}: {each['why']}")
    return ExitCode.FAILED if done["refused"] else ExitCode.DONE
