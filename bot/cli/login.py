"""`signoff login` and `logout`: a short session for this terminal, bound to a person by a one-time link."""

from datetime import timedelta
from typing import Annotated, Any, Final

import typer
from pydantic import BaseModel

from bot.cli import sessions
from bot.cli.connection import Doors, Url, doors, doors_for_anybody, server_named
from bot.cli.drawing import moment
from bot.cli.terminal import AsJson, ExitCode, Stopped, finish, print_json, print_line, say
from engine.clock import SystemClock
from signoff.errors import SignoffError

POLL: Final = timedelta(seconds=1)
OPEN_FOR: Final = timedelta(minutes=10)  # as long as a link lives


class Begun(BaseModel):
    """A terminal that waits for its link to be used."""

    device: str
    code: str


def login(
    *,
    who: Annotated[str, typer.Argument(metavar="WHO", help="Your address, or your name there.")],
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Sign this terminal in: open the link that is sent to you, compare the code, and confirm."""

    async def deed() -> None:
        async with doors_for_anybody(url) as server:
            if server.inside is not None:
                raise Stopped(
                    "No server runs here, so nothing could answer the link. Start `signoff serve`.",
                    code="no_server",
                    exit_code=ExitCode.FAILED,
                )
            begun = Begun.model_validate(await server.post("/api/sign-ins", {"person": who}))
            say(
                f"A link is on its way to you. Open it only if its page shows\n\n    {begun.code}\n"
            )
            session = await _confirmed(server, begun)
            sessions.keep(server.server, session)
        if as_json:
            return print_json({"person": session.person, "expires_at": str(session.expires_at)})
        return print_line(f"Signed in as {session.person} until {moment(session.expires_at)}.")

    finish(deed())


def logout(*, as_json: AsJson = False, url: Url = None) -> None:
    """End this terminal's session, here and at the server."""

    async def deed() -> None:
        server = server_named(url)
        had = sessions.of(server) is not None
        if had:
            await _end(url)
            sessions.forget(server)
        if as_json:
            return print_json({"signed_out": had})
        return print_line("Signed out." if had else "Nobody was signed in.")

    finish(deed())


async def _end(url: str | None) -> None:
    try:
        async with doors(url, as_person=True) as server:
            await server.delete("/api/session")
    except SignoffError as error:
        if error.status not in {401, 403}:  # ended there already
            raise


async def _confirmed(server: Doors, begun: Begun) -> sessions.Session:
    clock = SystemClock()
    for _ in range(OPEN_FOR // POLL):  # counted: this machine's clock may differ from the server's
        await clock.sleep(POLL)
        answer: Any = await server.post("/api/sign-ins/poll", {"device": begun.device})
        if answer is not None and answer.get("token"):
            return sessions.Session.model_validate(answer)
    raise Stopped(
        "Nobody opened the link in time. Run `signoff login` again.",
        code="sign_in_timed_out",
        exit_code=ExitCode.FAILED,
    )
