"""`signoff migrate`, `backup` and `restore`: bring the database up, move it, keep a copy, and go back to one."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli.connection import beside
from bot.cli.drawing import stamp
from bot.cli.tenant import INSTALLATION
from bot.cli.terminal import (
    AsJson,
    ExitCode,
    Stopped,
    finish,
    print_json,
    print_line,
    say,
    told,
    usage,
)
from bot.settings import Settings, load
from signoff.wire import Request

if TYPE_CHECKING:
    from bot.restoring import Back

COPIED_WITHIN: Final = timedelta(hours=6)
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


def migrate(
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether there is a backup.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Move the SQLite file to this empty PostgreSQL."),
    ] = None,
    undo_move: Annotated[
        bool, typer.Option("--undo-move", help="Go on with the file that was moved away.")
    ] = False,
    app_role: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Let this role of PostgreSQL run Signoff, and no more."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring the database's schema up to this version, or move all of it; it only goes forward, so back up first."""
    if to is not None and undo_move:
        raise typer.BadParameter("Give --to or --undo-move, not both.")
    if to is not None:
        return finish(_move(to, as_json=as_json))
    with told():
        # What looks at the store imports SQLAlchemy, which no other verb needs.
        from bot.databases import bring_up, name_of

        settings = load()
        if undo_move:
            from bot.restoring import undo_move as taken_back

            return _tell_back(taken_back(settings), as_json=as_json)
        name = name_of(settings)
        if not yes and (settings.shared_url is not None or settings.database_path.exists()):
            _ask_for_a_backup(settings, name)
        bring_up(settings, app_role=app_role)
        if as_json:
            return print_json({"database": name, "schema": "current", "app_role": app_role})
        print_line(f"{name} has the schema of this version.")
        if app_role is not None:
            print_line(f"{app_role} may run Signoff there, and sees one tenant at a time.")
        return None


def backup(
    *,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Where; a file that is not there.")],
    as_json: AsJson = False,
) -> None:
    """Copy the SQLite file, while the server works too; the copy is checked, and nobody else can read it."""

    async def deed() -> None:
        settings = load()
        if settings.shared_url is not None:
            raise _dump_it(settings, to)
        async with beside(settings, bearer=None, headers=INSTALLATION) as server:
            body = {"to": str(to.absolute())}
            asked = Request(method="POST", path="/api/backups", body=body, lasts=COPIED_WITHIN)
            done = json.loads(await server.exchange(asked))
        if as_json:
            return print_json(done)
        print_line(
            f"{to}: {_size(done['size'])}, as of {stamp(done['taken_at'])}, whole and checked after "
            f"{done['seconds']:.1f} s"
        )
        return say(f"Keep with it: {settings.config}, .env and {_secret(settings)}.")

    finish(deed())


def restore(
    *,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="A backup. Without one: what is in place came from a backup by other means.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go on from a backup: nothing of it is done before an operator has looked, and nothing twice."""

    async def deed() -> None:
        from bot.restoring import restore as put_back

        _tell_back(await put_back(load(), source), as_json=as_json)

    finish(deed())


async def _move(to: str, *, as_json: bool) -> None:
    from bot.moving import move

    done = await move(load(), to)
    rows = sum(done.moved.rows.values())
    if as_json:
        shown = {"from": done.source, "to": done.target, "broken": list(done.moved.broken)}
        return print_json({**shown, "rows": dict(done.moved.rows)})
    print_line(f"{done.source} is at {done.target}: {_many(rows, 'row')}, compared one by one")
    for what in done.moved.broken:
        say(f"Its chain was broken before already: {what}.")
    return say(
        f"Now set SIGNOFF_DATABASE_URL to that database, and {done.secret}, for every process. No "
        "server starts on the file any more."
    )


def _tell_back(back: "Back", *, as_json: bool) -> None:
    done = back.restored
    aside = None if back.aside is None else str(back.aside)
    if as_json:
        return print_json({"database": back.database, "before": aside, **done.to_json()})
    print_line(
        f"{back.database} goes on as of {stamp(done.taken_at) if done.taken_at else 'an unknown moment'}"
    )
    if aside is not None:
        say(f"What was there before is kept in {aside}.")
    if back.lacks_secret:
        say("The secret is missing: without it, links and keys are worthless. Put it back first.")
    if done.erased:
        say(f"Erased again, as before: {_many(done.erased, 'person')}.")
    return say(
        f"Held: {_many(done.held, 'run')}, see `signoff runs list --status paused`; let each go on with "
        f"`signoff runs resume`, or cancel it. Not sent: {_many(done.unsent, 'message')}, see `signoff "
        "outbox list --status dead`. Everybody signs in anew."
    )


def _ask_for_a_backup(settings: Settings, name: str) -> None:
    how = "with pg_dump or by your provider's means"
    if settings.shared_url is None:
        how = "with `signoff backup FILE`"
    say(f"Back up first: {name}, {how}.")
    say("Is there a backup? Answer yes to go on.")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise usage("Nothing was changed. With a backup: signoff migrate --yes", code="no_backup")


def _dump_it(settings: Settings, to: Path) -> Stopped:
    from engine.store.postgres_url import shown_url

    return Stopped(
        "A PostgreSQL is backed up by its own means, while it works: "
        f"pg_dump --format=custom --file={to} with the URL of {shown_url(settings.shared_url or '')}.",
        code="not_a_file",
        exit_code=ExitCode.REFUSED,
    )


def _secret(settings: Settings) -> str:
    if settings.secret_key is not None:
        return "SIGNOFF_SECRET_KEY"
    from bot.secret_key import secret_path

    return str(secret_path(settings))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _size(size: float) -> str:
    power = 0
    while size >= 1_000 and power < len(_UNITS) - 1:
        size, power = size / 1_000, power + 1
    return f"{size:.1f} {_UNITS[power]}" if power else f"{size:.0f} {_UNITS[power]}"
