"""What Pydantic finds wrong in a definition, in words that say where it stands and what to write instead."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from engine.rules.definitions import Problem
from engine.rules.wording import shown
from engine.runtime.definitions.doings import Step, UndoTerms
from engine.runtime.definitions.reading import Way, Written
from engine.runtime.definitions.shapes import KINDS, TAG, Definition, Input
from engine.runtime.definitions.terms import TitledTerms

_WANTED: Final = {
    "string_type": "Write a text here; in quotes, where it looks like something else.",
    "int_type": "Write a whole number here, without quotes.",
    "int_from_float": "Write a whole number here.",
    "bool_type": "Write true or false here, without quotes.",
    "list_type": "Write a list here: one line for each, beginning with a dash.",
    "dict_type": "Write `key: value` lines here.",
    "model_type": "Write `key: value` lines here.",
    "model_attributes_type": "Write `key: value` lines here.",
    "none_required": "Leave this out.",
    "too_short": "Write at least one here.",
    "string_too_short": "Write something here.",
}


def problems_of(error: ValidationError, written: Written, types: Collection[str]) -> list[Problem]:
    """One problem for each place, where it is written; `types` are the kinds of step there are."""
    found: dict[tuple[int, int], Problem] = {}
    for each in error.errors(include_url=False, include_context=True):
        problem = _problem(each, written, types)
        found.setdefault((problem.line, problem.column), problem)
    return list(found.values())


def did_you_mean(wrong: str, known: Collection[str]) -> str:
    """A sentence that names the nearest of `known`, or all of them where they are few."""
    near = get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)
    if near:
        return f" Did you mean `{near[0]}`?"
    return f" There is {', '.join(sorted(known))}." if 0 < len(known) <= 20 else ""


def _problem(each: Any, written: Written, types: Collection[str]) -> Problem:
    kind, loc = str(each["type"]), tuple(each["loc"])
    way = tuple(_written_way(loc, written))
    match kind:
        case "extra_forbidden":
            key = str(loc[-1])
            said = f"`{key}` is unknown here.{did_you_mean(key, _keys_at(loc))}"
            return written.problem(way, said, at_key=True)
        case "missing":
            return written.problem(way, f"`{loc[-1]}` is missing. Write it.")
        case "union_tag_not_found":
            return written.problem(way, f"A step needs a `type`: {', '.join(types)}.")
        case "union_tag_invalid":
            tag = str(each["ctx"]["tag"]).removeprefix(TAG)
            if tag == "None":
                return written.problem(way, "A step is a list item with a `name` and a `type`.")
            where = (*way, "type")
            said = f"{shown(tag)} is no type of step.{did_you_mean(tag, types)}"
            return written.problem(where, said)
        case "value_error":
            return written.problem(way, str(each["ctx"]["error"]), at_key="[key]" in loc)
        case _:
            words = _WANTED.get(kind, f"{each['msg']}.")
            return written.problem(way, words, at_key="[key]" in loc)


def _written_way(loc: Way, written: Written) -> Iterator[str | int]:
    """The parts of `loc` that are keys and places; the others name Pydantic's own alternatives."""
    way: Way = ()
    for part in loc:
        if (*way, part) in written.places:
            way = (*way, part)
            yield part


def _keys_at(loc: Way) -> set[str]:
    holder: type[Any] = Definition
    for part in loc[:-1]:
        if isinstance(part, str) and part.startswith(TAG):
            holder = KINDS.get(part.removeprefix(TAG), Step)
        elif part == "approval":
            holder = TitledTerms
        elif part == "undo":
            holder = UndoTerms
        elif part == "inputs":
            holder = Input
    return {field.alias or name for name, field in holder.model_fields.items()}
