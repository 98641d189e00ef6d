"""Reads YAML and JSON into plain values that remember where they were written, and refuses what has two readings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from engine.rules.definitions import BYTES_MAX, DEPTH_MAX, NODES_MAX, BadDefinition, Problem
from engine.rules.wording import shown

Way = tuple[str | int, ...]

# YAML 1.2's few plain values. What older YAML made of `on`, `no`, `1:30` or a date stays the text it is.
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}  # fmt: skip
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_FRACTION: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
_SAFE: Final = 2**53


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document: its value, and where each part of it and each of its keys stands."""

    value: object
    places: Mapping[Way, Place]
    keys: Mapping[Way, Place]

    def at(self, way: Way) -> object:
        """The part of the document at the end of `way`, which exists."""
        found: Any = self.value
        for part in way:
            found = found[part]
        return found

    def problem(self, way: Way, message: str, *, at_key: bool = False) -> Problem:
        """What is wrong at the end of `way`, or at the nearest part before it that was written."""
        if at_key and way in self.keys:
            place = self.keys[way]
        else:
            lengths = range(len(way), -1, -1)
            place = next(self.places[way[:n]] for n in lengths if way[:n] in self.places)
        return Problem(line=place.line, column=place.column, message=message)


@dataclass(slots=True)
class _Node:
    place: Place
    value: object = None
    keys: list[tuple[str, Place]] = field(default_factory=list[tuple[str, Place]])
    taken: set[str] = field(default_factory=set[str])
    children: list["_Node"] = field(default_factory=list["_Node"])
    kind: str = "scalar"
    size: int = 1
    depth: int = 1


def read(content: bytes | str) -> Written:
    """The one YAML or JSON document in `content`, which may be 1 MiB, 10,000 parts and 32 levels at most.

    An alias is what it repeats, and counts as often as it does.

    Raises:
        BadDefinition: for anything else, and for keys given twice, tags, merge keys and numbers that
            JSON could not carry.
    """
    text = _text(content)
    try:
        node = _Reader(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = f"{error.problem or error.context or 'this cannot be read'}"
        _refuse(Place(1, 1) if mark is None else _place(mark), f"This is no YAML: {said}.")
    except (yaml.YAMLError, ValueError) as error:
        said = str(error).partition("\n")[0]
        _refuse(Place(1, 1), f"This is no YAML: {said}.")
    places: dict[Way, Place] = {}
    keys: dict[Way, Place] = {}
    value = _flatten(node, (), places, keys)
    return Written(value=value, places=places, keys=keys)


def _text(content: bytes | str) -> str:
    try:
        size = len(content.encode() if isinstance(content, str) else content)
        if size > BYTES_MAX:
            _refuse(Place(1, 1), "A definition has at most 1 MiB. Cut it into child workflows.")
        return content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeError:
        _refuse(Place(1, 1), "This is no text. Save the file as UTF-8.")


class _Reader:
    """Goes through a parser's events, so that neither depth nor aliases cost more than what is allowed."""

    def __init__(self, text: str) -> None:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, in C
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._anchored: dict[str, _Node] = {}
        self._open: list[tuple[str | None, _Node]] = []
        self._count = 0

    def document(self) -> _Node:
        whole: _Node | None = None
        for event in self._events:
            match event:
                case yaml.DocumentStartEvent() if whole is not None:
                    _refuse(
                        _place(event.start_mark), "One file holds one document: cut it at `---`."
                    )
                case yaml.ScalarEvent() | yaml.AliasEvent():
                    whole = self._close(self._leaf(event), event.anchor, whole)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    anchor, node = self._open.pop()
                    whole = self._close(node, anchor, whole)
                case _:
                    pass
        if whole is None:
            _refuse(Place(1, 1), "There is nothing in it. Write a `name` and `steps`.")
        return whole

    def _begin(self, event: Any) -> None:
        place = _place(event.start_mark)
        _check_tag(event, place)
        if len(self._open) >= DEPTH_MAX:
            _refuse(place, f"This is nested deeper than {DEPTH_MAX} levels.")
        if self._is_key():
            _refuse(place, "A key is a text.")
        kind = "table" if isinstance(event, yaml.MappingStartEvent) else "list"
        self._open.append((event.anchor, _Node(place=place, kind=kind)))

    def _leaf(self, event: Any) -> _Node:
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            known = self._anchored.get(str(event.anchor))
            if known is None:
                again = any(anchor == event.anchor for anchor, _ in self._open)
                why = "repeats itself for ever" if again else "repeats what is not written above it"
                _refuse(place, f"The alias *{event.anchor} {why}.")
            return known
        _check_tag(event, place)
        if not event.style and not self._is_key():
            return _Node(place=place, value=_plain(event.value, place))
        return _Node(place=place, value=event.value)

    def _close(self, node: _Node, anchor: str | None, whole: _Node | None) -> _Node | None:
        """Put `node` where it belongs; gives the whole document, if that is what it is."""
        if anchor is not None:
            self._anchored[anchor] = node
        self._count += 1
        if not self._open:
            return node
        parent = self._open[-1][1]
        if self._is_key():
            parent.keys.append((self._key(node, parent), node.place))
        else:
            parent.children.append(node)
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        if parent.size > NODES_MAX or self._count > NODES_MAX:
            _refuse(
                node.place,
                f"A definition has at most {NODES_MAX} keys and values, and aliases count as often as "
                "they repeat. Cut it into child workflows.",
            )
        if parent.depth + len(self._open) - 1 > DEPTH_MAX:
            _refuse(node.place, f"This is nested deeper than {DEPTH_MAX} levels.")
        return whole

    def _is_key(self) -> bool:
        if not self._open:
            return False
        parent = self._open[-1][1]
        return parent.kind == "table" and len(parent.keys) == len(parent.children)

    def _key(self, node: _Node, parent: _Node) -> str:
        if node.kind != "scalar" or not isinstance(node.value, str):
            _refuse(node.place, "A key is a text.")
        key = node.value
        if key == "<<":
            _refuse(node.place, "`<<` is not understood here. Write the keys out, or use an alias.")
        if key in parent.taken:
            _refuse(node.place, f"The key {shown(key)} is there twice. Keep one of them.")
        parent.taken.add(key)
        return key


def _flatten(node: _Node, way: Way, places: dict[Way, Place], keys: dict[Way, Place]) -> object:
    places[way] = node.place
    if node.kind == "list":
        return [_flatten(child, (*way, n), places, keys) for n, child in enumerate(node.children)]
    if node.kind == "table":
        found: dict[str, object] = {}
        for (key, place), child in zip(node.keys, node.children, strict=True):
            keys[(*way, key)] = place
            found[key] = _flatten(child, (*way, key), places, keys)
        return found
    return node.value


def _plain(text: str, place: Place) -> object:
    if text in _NOTHING:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE.fullmatch(text):
        number = int(text)
        if not -_SAFE < number < _SAFE:
            _refuse(place, f'{text} is too large for a number. Write it as text: "{text}".')
        return number
    if _FRACTION.fullmatch(text):
        value = float(text)
        if value in {float("inf"), float("-inf")}:
            _refuse(place, f'{text} is too large for a number. Write it as text: "{text}".')
        return value
    return text


def _check_tag(event: Any, place: Place) -> None:
    if event.tag is not None and event.tag != "!":
        _refuse(place, f"The tag {shown(event.tag)} is not understood. Write the plain value.")


def _place(mark: Any) -> Place:
    return Place(line=mark.line + 1, column=mark.column + 1)


def _refuse(place: Place, message: str) -> NoReturn:
    raise BadDefinition([Problem(line=place.line, column=place.column, message=message)])
