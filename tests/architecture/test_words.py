"""One word for one thing: the other words are not used, except where we quote somebody."""

import re
from pathlib import Path

from tests.architecture.sources import ROOMS, modules, name, read, templates

INSTEAD = {
    "gate": "approval",
    "job": "run",
    "pipeline": "workflow",
    "saga": "workflow",
    "threshold": "quorum",
    "ticket": "approval",
    "verdict": "decision",
}

# Whose word it is where it stays: (how the file's name begins, the word) -> why.
QUOTED: dict[tuple[str, str], str] = {
    ("bot/loops.py", "threshold"): "Python's own, of its collector"
}

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def test_the_glossary_is_obeyed() -> None:
    found = [
        f"{name(path)}: {word!r}; we say {INSTEAD[word]!r}"
        for path in [*modules(*ROOMS, "examples"), *templates(), *modules("tests")]
        if path != Path(__file__)
        for word in sorted(words(read(path)) & INSTEAD.keys())
        if not is_quoted(name(path), word)
    ]

    assert found == []


def test_every_quotation_is_still_needed() -> None:
    used = {
        (start, word)
        for path in [*modules(*ROOMS, "examples", "tests"), *templates()]
        for start, word in QUOTED
        if name(path).startswith(start) and word in words(read(path))
    }

    assert used == QUOTED.keys()


def words(text: str) -> set[str]:
    """Every word of prose and of names: `JobState` and `job_state` both say `job`."""
    found = {word.lower() for word in WORD.findall(text)}
    return found | {word.removesuffix("s") for word in found}


def is_quoted(file: str, word: str) -> bool:
    return any(file.startswith(start) and word == quoted for start, quoted in QUOTED)
