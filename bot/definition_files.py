"""Reads the folder of workflows that were written as YAML or JSON."""

from pathlib import Path
from typing import Final

from engine.errors import Invalid

ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


def is_file(name: str) -> bool:
    """Whether `name` is that of a written workflow's file rather than that of a workflow."""
    return Path(name).suffix.lower() in ENDINGS


def source_of(path: Path) -> str:
    """What is written in the file.

    Raises:
        Invalid: `bad_definition`, if it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code="bad_definition") from None
    except UnicodeError:
        raise Invalid(f"{path} is no text. Save it as UTF-8.", code="bad_definition") from None


def sources_in(folder: Path) -> dict[str, str]:
    """What is written in every file of the folder, by its name.

    Raises:
        Invalid: `bad_definition`, if the folder is not there or a file cannot be read.
    """
    if not folder.is_dir():
        raise Invalid(
            f"{folder} is no folder. Make it, or leave --definitions out.", code="bad_definition"
        )
    files = sorted(path for path in folder.iterdir() if is_file(path.name) and path.is_file())
    return {str(path): source_of(path) for path in files}
