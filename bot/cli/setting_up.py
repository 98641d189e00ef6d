"""`signoff init`, `doctor` and `migrate`: begin a project, look it over, bring its database up."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from bot.cli.terminal import AsJson, ExitCode, print_json, print_line, say, show, told, usage
from bot.settings import load, load_with_problems
from bot.starting import write_project

_MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def init(
    *,
    folder: Annotated[Path, typer.Argument(help="Where; this folder unless given.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write signoff.toml, .env and a first workflow; what is there already stays as it is."""
    with told():
        written = [str(path) for path in write_project(folder)]
        if as_json:
            return print_json({"written": written})
        for path in written:
            print_line(f"wrote {path}")
        if not written:
            say("All of it is there already; nothing was changed.")
        where = "" if folder == Path() else f"cd {folder} && "
        return say(
            f"Put yourself into signoff.toml, then: {where}signoff serve\n"
            f"and from another terminal: {where}signoff run hello -i name=World --wait"
        )


def doctor(*, as_json: AsJson = False) -> None:
    """Look at everything a start depends on, and say all that is wrong at once."""
    with told():
        # What looks at the store imports SQLAlchemy, which no other verb needs.
        from bot.doctor import examine, is_healthy

        settings, problems = load_with_problems()
        findings = examine(settings, problems)
        if as_json:
            print_json({"findings": [asdict(finding) for finding in findings]})
        else:
            for finding in findings:
                mark, colour = _MARKS[finding.level]
                show(Text(f"{mark} {finding.text} {finding.mend}".rstrip(), style=colour))
        if not is_healthy(findings):
            raise typer.Exit(ExitCode.FAILED)


def migrate(
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether there is a backup.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database's schema up to this version; it only goes forward, so back up first."""
    with told():
        # What looks at the store imports SQLAlchemy, which no other verb needs.
        from bot.databases import bring_up, name_of

        settings = load()
        name, path = name_of(settings), settings.database_path
        if not yes and settings.shared_url is not None:
            say(f"Back up first: {name}, with pg_dump or by your provider's means.")
            _ask_for_a_backup()
        elif not yes and path.exists():
            say(f"Back up first: stop the server and copy {path} (with -wal and -shm, if there).")
            _ask_for_a_backup()
        bring_up(settings)
        if as_json:
            return print_json({"database": name, "schema": "current"})
        return print_line(f"{name} has the schema of this version.")


def _ask_for_a_backup() -> None:
    say("Is there a backup? Answer yes to go on.")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise usage("Nothing was changed. With a backup: signoff migrate --yes", code="no_backup")
