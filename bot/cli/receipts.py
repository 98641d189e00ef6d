"""`signoff receipts`: effects that were made once, and those of which nobody knows."""

from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors, segment
from bot.cli.paging import After, Limit, say_rest
from bot.cli.runs import Reason
from bot.cli.settling import parsed
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, show

verbs = typer.Typer(
    name="receipts", help="Effects that happen once, and their outcomes.", no_args_is_help=True
)

Execution = Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt, as in exe_….")]


@verbs.command("list", cls=Verb)
def list_receipts(
    *,
    state: Annotated[
        str | None,
        typer.Option(help="Only those: claimed, succeeded, failed_no_effect or unknown."),
    ] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List receipts, the newest first."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/receipts", state=state, limit=limit, cursor=after)
        if as_json:
            return print_json(page)
        lines = [
            (
                each["execution_id"],
                drawing.marked(each["state"]),
                each["action"],
                each["request_id"],
            )
            for each in page["receipts"]
        ]
        show(drawing.table(("receipt", "state", "action", "request id"), lines))
        say_rest("receipts list", page, lines)
        return None

    finish(deed())


@verbs.command("show", cls=Verb)
def show_receipt(*, receipt: Execution, as_json: AsJson = False, url: Url = None) -> None:
    """Show one receipt with its payload and its result."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/receipts/{segment(receipt)}")
        if as_json:
            return print_json(found)
        for name, value in found.items():
            print_line(f"{name}: {drawing.value(value)}")
        return None

    finish(deed())


@verbs.command("settle", cls=Verb)
def settle_receipt(
    *,
    receipt: Execution,
    happened: Annotated[
        bool, typer.Option("--happened/--did-not-happen", help="Whether the effect is there.")
    ],
    reason: Reason,
    result: Annotated[
        str | None, typer.Option("--result", help="What it returned if it happened: JSON.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Say whether an effect happened of which nobody knows."""
    outcome = "succeeded" if happened else "failed_no_effect"
    body = {"outcome": outcome, "result": parsed(result), "reason": reason}

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post(f"/api/receipts/{segment(receipt)}/settle", body)
        if as_json:
            return print_json(done)
        return print_line(f"{receipt}: {done['state']}.")

    finish(deed())
