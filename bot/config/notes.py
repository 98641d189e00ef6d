"""Reads tables leniently: what is wrong is noted with its line, and reading goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from bot.config.lines import Lines, Path
from engine.rules.approvers import is_name
from engine.rules.wording import is_sequence, is_table, shown

Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ConfigProblem:
    """One mistake: its line, counted from 1, and a sentence that says what is possible."""

    line: int
    text: str


@dataclass(slots=True)
class Notes:
    """What was found wrong so far."""

    lines: Lines
    problems: list[ConfigProblem] = field(default_factory=list[ConfigProblem])
    prefix: Path = ()  # the table in which everything is that is read now

    def under(self, prefix: Path) -> "Notes":
        """The same notes for whoever reads the tables within `prefix`, and need not know it."""
        return Notes(self.lines, self.problems, prefix)

    def add(self, path: Path, text: str, *, value: str | None = None) -> None:
        """Note a mistake at `path`, or at the line of one `value` in it."""
        line = self.lines.of(self._whole(path), value)
        self.problems.append(ConfigProblem(line=line, text=text))

    def _whole(self, path: Path) -> Path:
        return path if path[: len(self.prefix)] == self.prefix else (*self.prefix, *path)

    def table(self, raw: object, path: Path) -> Raw:
        """The table at `path`; an empty one, noted, when it is something else."""
        if is_table(raw):
            return {str(key): value for key, value in raw.items()}
        self.add(path, f"{called(self._whole(path))} is {shown(raw)}; it must be a table.")
        return {}

    def tables(self, raw: Raw, kind: str) -> Iterable[tuple[str, Raw, Path]]:
        """Every named table under `kind`, as in `[people.ana]`; bad names are noted, and left out."""
        for name, value in self.table(raw.get(kind, {}), (kind,)).items():
            path = self._whole((kind, name))
            if is_name(name):
                yield name, self.table(value, path), path
            else:
                self.add(path, f"{shown(name)} cannot be a name. {NAMES}")

    def only(self, raw: Raw, path: Path, known: Iterable[str]) -> None:
        """Note every key of the table that is not `known`."""
        possible = list(known)
        for key in raw:
            if key not in possible:
                close = get_close_matches(key, possible, n=1)
                meant = f" Did you mean `{close[0]}`?" if close else ""
                self.add(
                    (*path, key),
                    f"{shown(key)} is not a key of {called(self._whole(path))}.{meant} "
                    f"Possible are {', '.join(possible)}.",
                )

    def text(self, raw: Raw, path: Path, key: str) -> str | None:
        """The text under `key`; None when it is absent, or noted as something else."""
        value = raw.get(key)
        if value is None:
            return None
        if isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= CHARS:
            return value.strip()
        self.add((*path, key), f"{key} is {shown(value)}; it must be a text of one line.")
        return None

    def texts(self, raw: object, path: Path) -> list[str]:
        """The list of texts at `path`, each once; what is none is noted, and left out."""
        if not is_sequence(raw):
            self.add(path, f"{called(path)} is {shown(raw)}; it must be a list of texts.")
            return []
        for each in raw:
            if not isinstance(each, str):
                self.add(path, f"{called(path)} holds {shown(each)}; it must be a text.")
        return list(dict.fromkeys(each for each in raw if isinstance(each, str)))


CHARS = 300
NAMES = "Use a-z, 0-9, dot, dash and underscore, up to 64 of them."


def called(path: Path) -> str:
    """How people write a table or key: `[people.ana]`."""
    return (
        f"[{'.'.join(part if is_name(part) else ascii(part) for part in path)}]"
        if path
        else "the file"
    )
