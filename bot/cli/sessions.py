"""The sessions of `signoff login`, kept 0600 in the user's own folder, one for each server."""

import os
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Final

import typer
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from bot.cli.terminal import ExitCode, Stopped

_OTHERS: Final = 0o077


class Session(BaseModel):
    """Who is signed in, and the bearer that proves it."""

    model_config = ConfigDict(frozen=True)

    token: str
    person: str
    expires_at: datetime


class _Kept(RootModel[dict[str, Session]]):
    """Sessions by server."""


def path() -> Path:
    """Where they are kept: `signoff/session.json` in the user's folder for configuration."""
    return Path(typer.get_app_dir("signoff")) / "session.json"


def of(server: str) -> Session | None:
    """The session at `server`, whether or not it has ended since; None without one.

    Raises:
        Stopped: `open_session_file`, if others can read the file.
    """
    return _read().get(server)


def keep(server: str, session: Session) -> None:
    """Remember `session`, in place of any before it at this server."""
    _write({**_read(), server: session})


def forget(server: str) -> None:
    """Remember nothing of `server`; fine when nothing was."""
    kept = _read()
    if server in kept:
        _write({name: session for name, session in kept.items() if name != server})


def _read() -> dict[str, Session]:
    file = path()
    try:
        if file.stat().st_mode & _OTHERS:
            raise Stopped(
                f"{file} can be read by others, so its sessions are not used. Run `chmod 600 {file}`, "
                "or remove it.",
                code="open_session_file",
                exit_code=ExitCode.REFUSED,
            )
        return _Kept.model_validate_json(file.read_bytes()).root
    except FileNotFoundError:
        return {}
    except ValidationError:
        return {}  # half a file of another version: signing in again replaces it


def _write(kept: dict[str, Session]) -> None:
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = mkstemp(dir=file.parent, prefix=f"{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as made:
        made.write(_Kept(kept).model_dump_json(indent=2))
    Path(name).replace(file)
