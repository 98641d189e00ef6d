"""Rules of written workflows: limits, names, references such as `${steps.charge.amount}`, and the order of steps."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from engine.errors import Invalid
from engine.rules.wording import BadRule, is_sequence, is_table, shown

BYTES_MAX: Final = 1024 * 1024
NODES_MAX: Final = 10_000  # keys and values, each repeat of an alias counted
DEPTH_MAX: Final = 32
PROBLEMS_MAX: Final = 20  # told at once
ITEMS_MAX: Final = 1_000  # that one `for_each` goes through

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
ROOTS: Final = ("inputs", "steps", "run")
GUARDED: Final = "secret"  # what stands before a secret's name, in headers alone

# What a condition could not name: the language keeps these words for itself.
_RESERVED: Final = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let",
     "loop", "namespace", "null", "package", "return", "true", "var", "void", "while"}
)  # fmt: skip
_OPENED: Final = re.compile(r"\$?\$\{")
_PATH: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_-]+)*)\s*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
# Behind the first two names, what is called is no name: `steps.ask.form.size()`.
_NAMED: Final = re.compile(
    r"(?<![\w.])([a-z_]\w*)\.([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*\b(?!\s*\())*)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a definition, where it is written, and what to write instead."""

    line: int
    column: int
    message: str

    @override
    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class BadDefinition(Invalid):
    """A written workflow that cannot run. Nothing of it was kept."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        ordered = sorted(problems, key=lambda each: (each.line, each.column))
        self.problems = tuple(ordered[:PROBLEMS_MAX])
        more = len(ordered) - len(self.problems)
        lines = [str(each) for each in self.problems]
        if more:
            lines.append(f"And {more} more.")
        super().__init__("\n".join(lines), code="bad_definition")


@dataclass(frozen=True, slots=True)
class Reference:
    """What stands between `${` and `}`: names and places of a list, from the outside in."""

    path: tuple[str, ...]

    @override
    def __str__(self) -> str:
        return ".".join(self.path)


def parts_of(text: str) -> list[str | Reference]:
    """`text` cut at its references; `$${` stands for `${` itself.

    Raises:
        BadRule: `bad_definition`, if one is not closed or holds more than names and dots.
    """
    found: list[str | Reference] = []
    at = 0
    while opened := _OPENED.search(text, at):
        found.append(text[at : opened.start()])
        at = opened.end()
        if opened[0] == "$${":
            found.append("${")
            continue
        inside, closed, _ = text[at:].partition("}")
        path = _PATH.fullmatch(inside)
        if not closed or path is None:
            raise BadRule(
                "bad_definition",
                f"{shown(text[opened.start() : at + len(inside) + 1])} is no reference. Write names and "
                "dots, as in ${steps.charge.amount}; what is computed stands in `when` and `if`, and "
                "$${ is a plain ${.",
            )
        found.append(Reference(tuple(path[1].split("."))))
        at += len(inside) + 1
    found.append(text[at:])
    return [part for part in found if part != ""]


def references(value: object) -> Iterator[tuple[tuple[str | int, ...], Reference]]:
    """Every reference in the texts of `value`, with the way to it.

    Raises:
        BadRule: as `parts_of`.
    """
    if isinstance(value, str):
        for part in parts_of(value):
            if isinstance(part, Reference):
                yield (), part
    elif is_table(value):
        for key, each in value.items():
            for way, found in references(each):
                yield (str(key), *way), found
    elif is_sequence(value):
        for index, each in enumerate(value):
            for way, found in references(each):
                yield (index, *way), found


def named_in(condition: str) -> list[Reference]:
    """What a condition seems to name, by its text alone: `steps.charge`, `inputs.amount`."""
    bare = _QUOTED.sub('""', condition)
    found = (each.groups() for each in _NAMED.finditer(bare))
    return [Reference((root, name, *more.split(".")[1:])) for root, name, more in found]


def check_name(name: str) -> None:
    """Return if `name` can stand in a reference and in a condition.

    Raises:
        BadRule: `bad_definition`, otherwise.
    """
    if NAME.fullmatch(name) is None or name in _RESERVED:
        raise BadRule(
            "bad_definition",
            f"{shown(name)} cannot be a name here. Use a-z, 0-9 and underscore, a letter first, and "
            "no word of the condition language such as `in`.",
        )


def in_order(names: Sequence[str], needs: Mapping[str, Sequence[str]]) -> list[str]:
    """`names` as written, but each after all that it needs; of those that could be next the first one.

    Raises:
        BadRule: `bad_definition`, if some need each other in a circle; it names them.
    """
    left, done, is_done = list(names), list[str](), set[str]()
    while left:
        ready = (each for each in left if is_done.issuperset(needs.get(each, ())))
        following = next(ready, None)
        if following is None:
            around = circle({each: needs.get(each, ()) for each in left}) or left
            raise BadRule(
                "bad_definition", f"These steps wait for each other: {' → '.join(around)}."
            )
        left.remove(following)
        done.append(following)
        is_done.add(following)
    return done


def circle(arrows: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A way along `arrows` that comes back to where it began, its first name once more at the end.

    Each arrow is gone along once, however many ways lead to it.
    """
    cleared: set[str] = set()
    for start in arrows:
        way: dict[str, Iterator[str]] = {}  # whom each on it leads to still
        ahead: str | None = start
        while ahead is not None or way:
            if ahead is None:
                name, rest = next(reversed(way.items()))
                ahead = next(rest, None)
                if ahead is None:
                    del way[name]
                    cleared.add(name)
            elif ahead in way:
                around = list(way)
                return [*around[around.index(ahead) :], ahead]
            else:
                if ahead in arrows and ahead not in cleared:
                    way[ahead] = iter(arrows[ahead])
                ahead = None
    return None
