"""Pages that are made from the code, so that they cannot say anything else: `python -m bot.docs_pages`."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from engine.rules.durations import say_duration

ROOT: Final = Path(__file__).resolve().parent.parent


def env_example(settings: type[BaseSettings]) -> str:
    """`.env.example`: every setting with one sentence and its default, or an example where it has none."""
    prefix = settings.model_config.get("env_prefix", "")
    lines = [
        "# Every setting there is. Copy this to .env and remove the # in front of what you need.",
        "# What a line shows is the default, or an example of what has none.",
    ]
    for name, field in in_order(settings):
        shown = shown_default(field.default) or str((field.examples or [""])[0])
        lines += ["", f"# {field.description}", f"# {prefix}{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"


def in_order(settings: type[BaseSettings]) -> list[tuple[str, FieldInfo]]:
    """Every setting: first those of the class itself, which everybody needs, then those that it inherits."""
    own = settings.__annotations__
    return sorted(settings.model_fields.items(), key=lambda named: named[0] not in own)


def pages() -> Mapping[str, Callable[[], str]]:
    """Every page that is made, by its place in the repository."""
    # Slow to import, and of no use to whoever only wants an example of the settings.
    from bot.reference.api import api_page
    from bot.reference.commands import commands_page
    from bot.reference.errors import errors_page
    from bot.reference.events import events_page
    from bot.reference.settings import settings_page
    from bot.settings import Settings
    from engine.rules.states_page import states_page
    from engine.runtime.definitions.schema import json_schema

    return {
        ".env.example": lambda: env_example(Settings),
        "docs/errors.md": errors_page,
        "docs/states.md": states_page,
        "docs/reference/api.md": api_page,
        "docs/reference/cli.md": commands_page,
        "docs/reference/definition.schema.json": lambda: json.dumps(json_schema(), indent=1) + "\n",
        "docs/reference/events.md": events_page,
        "docs/reference/settings.md": settings_page,
    }


def shown_default(default: object) -> str:
    """A default as it would be written into `.env`; empty where there is none to show."""
    match default:
        case timedelta():
            return say_duration(default)
        case str() | int():
            return str(default)
        case None | tuple() | frozenset():
            return ""
        case _:
            return "" if repr(default) == "PydanticUndefined" else str(default)


def main() -> None:
    """Write every page anew, and say which codes and events still want a sentence."""
    from bot.reference.errors import codes
    from bot.reference.sources import logged, words

    for name, page in pages().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(page(), encoding="utf-8")
    for kind, used in (("errors", set(codes())), ("events", {each.event for each in logged()})):
        for word in sorted(used ^ words(kind).keys()):
            verb = "add" if word in used else "remove"
            sys.stderr.write(f"bot/reference/words/{kind}.txt: {verb} {word}\n")


if __name__ == "__main__":
    main()
