"""Where in a TOML text something stands: tomllib says what was read, and this says where."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

Path = tuple[str, ...]

_STRINGS: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)
_PART: Final = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY: Final = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER: Final = re.compile(rf"[ \t]*\[\[?[ \t]*({_KEY})[ \t]*\]")
_PAIR: Final = re.compile(rf"[ \t]*({_KEY})[ \t]*=")


class Lines:
    """The lines of a text that tomllib has read."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at: dict[Path, int] = {}
        self._starts: list[int] = []
        table: Path = ()
        for number, line in self._statements(text):
            self._starts.append(number)
            if header := _HEADER.match(line):
                table = _parts(header[1])
                self._note(table, number)
            elif pair := _PAIR.match(line):
                self._note((*table, *_parts(pair[1])), number)
        self._starts.append(len(self._lines) + 1)

    def of(self, path: Sequence[str], value: str | None = None) -> int:
        """The line of a table or key, or of the nearest thing around it; of a `value` in it, its own."""
        found = tuple(path)
        while found and found not in self._at:
            found = found[:-1]
        line = self._at.get(found, 1)
        if value is not None:
            ends = next(start for start in self._starts if start > line)
            for number in range(line, ends):
                if any(f"{quote}{value}{quote}" in self._lines[number - 1] for quote in "\"'"):
                    return number
        return line

    def _statements(self, text: str) -> Iterator[tuple[int, str]]:
        bare = _STRINGS.sub(_blank, text)
        starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text) + 1]
        depth = 0
        for number, (start, end) in enumerate(pairwise(starts), start=1):
            is_inside = start > 0 and bare[start - 1] == "\x00"
            if depth == 0 and not is_inside and bare[start:end].strip():
                yield number, text[start:end]
            depth += sum((char in "[{") - (char in "]}") for char in bare[start:end])

    def _note(self, path: Path, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._at.setdefault(path[:length], line)


def _blank(found: re.Match[str]) -> str:
    # As long as before, so that everything stays where it is; nothing inside of a text is a statement.
    return ("\x00" if found[0][0] in "\"'" else " ") * len(found[0])


def _parts(key: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))
