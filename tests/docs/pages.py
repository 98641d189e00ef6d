"""The pages, and the blocks of code in them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

from tests.architecture.sources import ROOT

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)$")
NOTE = re.compile(r"^ *<!-- (?P<note>.*) -->$")
HEADING = re.compile(r"^#+ (?P<heading>.+)$")
HAND_WRITTEN = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "examples/README.md",
    "locks/README.md",
    "benchmarks/README.md",
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: where it stands, its language, its text, and the notes above it for these tests."""

    page: str
    line: int
    heading: str
    language: str
    text: str
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    def note(self, name: str) -> str | None:
        """What a note `name: …` says; empty for a bare `name`, None without one."""
        for note in self.notes:
            found, _, rest = note.partition(":")
            if found == name:
                return rest.strip()
        return None


@cache
def pages() -> tuple[Path, ...]:
    """Every page that people read, made or written."""
    written = [ROOT / name for name in HAND_WRITTEN]
    return tuple(
        path for path in (*written, *sorted((ROOT / "docs").rglob("*.md"))) if path.exists()
    )


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def blocks() -> tuple[Block, ...]:
    return tuple(block for page in pages() for block in blocks_of(page))


def blocks_of(page: Path) -> list[Block]:
    """The blocks of `page`, in order."""
    found: list[Block] = []
    inside: list[str] | None = None
    fence, line_at, heading, notes = "", 0, "", list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        opens = FENCE.match(line)
        if inside is not None and line.strip() == "```":
            text = dedent("\n".join(inside)) + "\n"
            found.append(Block(page=name(page), line=line_at, heading=heading, language=fence, text=text,
                               notes=tuple(notes)))  # fmt: skip
            inside, notes = None, []
        elif inside is not None:
            inside.append(line)
        elif opens:
            inside, fence, line_at = [], opens["language"], number
        elif note := NOTE.match(line):
            notes.append(note["note"])
        elif title := HEADING.match(line):
            heading = title["heading"]
        elif line.strip():
            notes = []
    return found


def within(language: str) -> list[Block]:
    return [block for block in blocks() if block.language == language]
