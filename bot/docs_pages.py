"""Pages that are made from the code, so that they cannot say anything else."""

from datetime import timedelta

from pydantic_settings import BaseSettings

from engine.rules.durations import say_duration


def env_example(settings: type[BaseSettings]) -> str:
    """`.env.example`: every setting with one sentence and its default, or an example where it has none."""
    prefix = settings.model_config.get("env_prefix", "")
    lines = [
        "# Every setting there is. Copy this to .env and remove the # in front of what you need.",
        "# What a line shows is the default, or an example of what has none.",
    ]
    for name, field in settings.model_fields.items():
        shown = _shown(field.default) or str((field.examples or [""])[0])
        lines += ["", f"# {field.description}", f"# {prefix}{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    match default:
        case timedelta():
            return say_duration(default)
        case str() | int():
            return str(default)
        case None | tuple() | frozenset():
            return ""
        case _:
            return "" if repr(default) == "PydanticUndefined" else str(default)
