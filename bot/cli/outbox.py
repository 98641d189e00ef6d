"""`signoff outbox`: what has to be sent, what could not be, and sending that again."""

from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors
from bot.cli.paging import After, Limit, say_rest
from bot.cli.shapes import Delivery
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, show

verbs = typer.Typer(name="outbox", help="Messages, and those given up.", no_args_is_help=True)


@verbs.command("list", cls=Verb)
def list_outbox(
    *,
    status: Annotated[
        str | None, typer.Option(help="Only those: pending, sent, dead or dropped.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List messages, the newest first."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/outbox", status=status, limit=limit, cursor=after)
        if as_json:
            return print_json(page)
        found = [Delivery.model_validate(each) for each in page["deliveries"]]
        show(
            drawing.table(
                ("message", "status", "channel", "to", "what", "attempts", ""),
                [
                    (
                        each.id,
                        drawing.marked(each.status),
                        each.channel,
                        each.address,
                        each.event,
                        str(each.attempts),
                        each.error or "",
                    )
                    for each in found
                ],
            )
        )
        say_rest("outbox list", page, found)
        return None

    finish(deed())


@verbs.command("redrive", cls=Verb)
def redrive(
    *,
    message: Annotated[
        str | None, typer.Argument(metavar="[MESSAGE]", help="One; every dead one unless given.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Send again what was given up, once its cause is mended."""
    body = {} if message is None else {"delivery": message}

    async def deed() -> None:
        async with doors(url) as server:
            done = await server.post("/api/outbox/redrive", body)
        if as_json:
            return print_json(done)
        return print_line(f"{done['redriven']} will be sent again.")

    finish(deed())
