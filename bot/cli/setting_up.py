"""`signoff init` and `doctor`: begin a project, and look it over."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from bot.cli.terminal import AsJson, ExitCode, print_json, print_line, say, show, told
from bot.settings import load_with_problems
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
