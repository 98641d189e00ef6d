"""The `signoff` command: finds the application, in this package or a checkout, and starts it."""

import gc
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

SERVERS: Final = ("serve", "worker")
ROOMS: Final = ("bot", "channels", "engine")
PACKAGED: Final = Path(__file__).resolve().parent / "_app"


def main() -> None:
    """Run the command line; refuse, in a sentence, where that would start somebody else's code."""
    refusal = _make_rooms_importable()
    if refusal is None:
        try:
            command = _command()
        except ModuleNotFoundError as missing:
            refusal = _what_is_missing(missing)
        else:
            command()
            return
    print(refusal, file=sys.stderr)
    raise SystemExit(1)


def _command() -> Callable[[], None]:
    """The command line; of a server, which is to answer soon, without the verbs of its clients."""
    gc.disable()  # nothing that is imported is garbage
    try:
        if sys.argv[1:2] and sys.argv[1] in SERVERS:
            from bot.cli import servers

            return servers.command
        from bot.cli import verbs
    finally:
        gc.enable()
    return verbs.command


def _make_rooms_importable() -> str | None:
    if not PACKAGED.is_dir():
        return None
    if str(PACKAGED) not in sys.path:
        sys.path.append(str(PACKAGED))
    foreign = [f"`{room}` from {place}" for room in ROOMS if (place := _foreign_place(room))]
    if not foreign:
        return None
    return (
        f"Signoff will not start: Python would import {' and '.join(foreign)} instead of Signoff's "
        "own. Start it from another folder, or in an environment of its own: "
        "`uvx --from 'signoff[server]' signoff`."
    )


def _foreign_place(room: str) -> str | None:
    found = importlib.util.find_spec(room)
    if found is None or found.origin is None:
        return "a folder without __init__.py" if found else None
    place = Path(found.origin).resolve()
    return None if place.is_relative_to(PACKAGED) else str(place)


def _what_is_missing(missing: ModuleNotFoundError) -> str:
    if (missing.name or "").split(".")[0] in ROOMS:
        return f"Signoff's own module {missing.name} is missing; install it again."
    return (
        f"The server's libraries are not installed ({missing.name} is missing). "
        "Install them with: pip install 'signoff[server]'"
    )


if __name__ == "__main__":
    main()
