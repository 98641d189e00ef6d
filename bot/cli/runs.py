"""`signoff runs`: look at runs, check their journals, and help those that are stuck."""

from typing import Annotated, Any

import typer
from rich.text import Text

from bot.cli import drawing
from bot.cli.connection import Doors, Url, doors, segment
from bot.cli.paging import After, Limit, say_rest
from bot.cli.run_drawing import run_picture
from bot.cli.shapes import Entry, Run, RunLine
from bot.cli.standings import waits
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, ExitCode, finish, print_json, print_line, show
from engine.rules.sandboxes import marked

verbs = typer.Typer(name="runs", help="Look at runs and operate them.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run, as in run_….")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the journal and shown.")]


@verbs.command("list", cls=Verb)
def list_runs(
    *,
    status: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List runs, the newest first."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/runs", status=status, limit=limit, cursor=after)
        if as_json:
            return print_json(page)
        lines = [RunLine.model_validate(each) for each in page["runs"]]
        show(
            drawing.table(
                ("run", "workflow", "status", "begun"),
                [
                    (line.id, _named(line), _standing(line), drawing.moment(line.created_at))
                    for line in lines
                ],
            )
        )
        return say_rest("runs list", page, lines, nothing="There are no runs.")

    finish(deed())


@verbs.command("show", cls=Verb)
def show_run(*, run: RunId, as_json: AsJson = False, url: Url = None) -> None:
    """Show a run: its steps, what it waits for, and what was undone."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/runs/{segment(run)}")
        if as_json:
            return print_json(found)
        return show(run_picture(Run.model_validate(found)))

    finish(deed())


@verbs.command("journal", cls=Verb)
def show_journal(*, run: RunId, as_json: AsJson = False, url: Url = None) -> None:
    """Print a run's journal, every entry of it; with --json one entry on each line."""

    async def deed() -> None:
        async with doors(url) as server:
            cursor = None
            while True:
                path = f"/api/runs/{segment(run)}/journal"
                page = await server.get(path, cursor=cursor)
                for entry in page["entries"]:
                    _print_entry(entry, as_json=as_json)
                cursor = page["next"]
                if cursor is None:
                    return

    finish(deed())


@verbs.command("changes", cls=Verb)
def show_changes(*, run: RunId, as_json: AsJson = False, url: Url = None) -> None:
    """Print how a run's state changed: from what to what, by whom, and why."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/runs/{segment(run)}/changes")
        if as_json:
            return print_json(found)
        for change in found["changes"]:
            _print_change(change)
        return None

    finish(deed())


@verbs.command("replay", cls=Verb)
def replay_run(*, run: RunId, as_json: AsJson = False, url: Url = None) -> None:
    """Rebuild a run's state from its journal, and say whether it equals the stored one."""

    async def deed() -> ExitCode:
        async with doors(url) as server:
            found = await server.get(f"/api/runs/{segment(run)}/replay")
        differences: list[str] = found["differences"]
        if as_json:
            print_json(found)
        elif differences:
            for sentence in differences:
                print_line(sentence)
        else:
            print_line(f"{run}: the chain holds, and the journal gives the stored state.")
        return ExitCode.FAILED if differences else ExitCode.DONE

    finish(deed())


@verbs.command("cancel", cls=Verb)
def cancel_run(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Stop a run where it is; nothing is undone."""
    finish(_operate(run, "cancel", reason, as_json=as_json, url=url))


@verbs.command("kill", cls=Verb)
def kill_run(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """End a run at once, for good; nothing is undone."""
    finish(_operate(run, "kill", reason, as_json=as_json, url=url))


@verbs.command("pause", cls=Verb)
def pause_run(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Hold a run where it is until it is resumed."""
    finish(_operate(run, "pause", reason, as_json=as_json, url=url))


@verbs.command("retry", cls=Verb)
def retry_run(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Let a run go on that is stuck in a compensation, or whose code had changed."""
    finish(_operate(run, "retry", reason, as_json=as_json, url=url))


@verbs.command("resume", cls=Verb)
def resume_run(
    *,
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="The run, unless it is --all.")
    ] = None,
    reason: Reason,
    every: Annotated[bool, typer.Option("--all", help="Every run that is paused.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Let a run go on that is paused, as all are that came back from a backup."""
    if (run is None) != every:
        raise typer.BadParameter("Name one run, or say --all.")
    if run is not None:
        return finish(_operate(run, "resume", reason, as_json=as_json, url=url))
    return finish(_resume_all(reason, as_json=as_json, url=url))


@verbs.command("release", cls=Verb)
def release_run(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Let a run go on that was set aside because it ended its workers."""
    finish(_operate(run, "release", reason, as_json=as_json, url=url))


@verbs.command("skip", cls=Verb)
def skip_step(*, run: RunId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Leave the step whose compensation is stuck as it is, and go on undoing."""
    finish(_operate(run, "skip", reason, as_json=as_json, url=url))


async def _operate(run: str, verb: str, reason: str, *, as_json: bool, url: str | None) -> None:
    async with doors(url) as server:
        done = await _posted(server, f"/api/runs/{segment(run)}/{verb}", reason)
    if as_json:
        return print_json(done)
    return print_line(f"{run}: {_done(verb)}.")


async def _resume_all(reason: str, *, as_json: bool, url: str | None) -> None:
    resumed: list[str] = []
    async with doors(url) as server:
        while page := await server.get("/api/runs", status="paused", limit=200):
            for line in page["runs"]:
                await _posted(server, f"/api/runs/{segment(line['id'])}/resume", reason)
                resumed.append(line["id"])
            if page["next"] is None:
                break
    if as_json:
        return print_json({"resumed": resumed})
    return print_line(f"{len(resumed)} runs go on.")


async def _posted(server: Doors, path: str, reason: str) -> Any:
    return await server.post(path, {"reason": reason})


def _done(verb: str) -> str:
    return {
        "cancel": "cancelled",
        "kill": "killed",
        "pause": "paused",
        "release": "goes on",
        "resume": "goes on",
        "retry": "goes on",
        "skip": "skipped the stuck step",
    }[verb]


def _named(line: RunLine) -> str:
    return marked(line.workflow) if line.sandbox else line.workflow


def _standing(line: RunLine) -> Text:
    status = drawing.marked(line.status)
    if line.held_up is not None:
        return status.append(f": {line.held_up}")
    if line.waiting_for is not None:
        # Two ids do not fit beside each other; `signoff approvals list` has the other one.
        status.append(f" {waits(line.waiting_for).partition(' apr_')[0].partition(' run_')[0]}")
    return status


def _print_entry(raw: Any, *, as_json: bool) -> None:
    if as_json:
        return print_json(raw)
    entry = Entry.model_validate(raw)
    name = "" if entry.name is None else f" {entry.name}"
    at = drawing.moment(entry.at)
    return print_line(f"{entry.position:>5}  {at}  {entry.kind}{name}  {drawing.value(entry.data)}")


def _print_change(change: Any) -> None:
    states = [
        "" if each is None else f"{each['status']} {each['reason'] or ''}".strip()
        for each in (change["before"], change["after"])
    ]
    by = "".join(f", by {who}" for who in change["by"])
    why = f": {change['reason']}" if change["reason"] else ""
    moved = " → ".join(filter(None, states))
    print_line(f"{change['position']:>5}  {moved}  {change['says']}{by}{why}")
