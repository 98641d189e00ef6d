"""Forms in which nobody can mean another answer than they read: what is refused of them when they are asked.

Forms that were asked before a rule was made are shown as they are, so this is no part of reading them.
"""

import unicodedata
from collections.abc import Iterable

from engine.rules.answers import kept, read_typed
from engine.rules.forms import Field, Input, bad_form
from engine.rules.values import BadChange
from engine.rules.wording import shown


def demand_clear(fields: Iterable[Field]) -> None:
    """Return if every field can be answered, and is read as what it is.

    Raises:
        BadRule: `invalid_form`, if no answer keeps to a field's limits, two fields or options are
            read alike, an option is read as the answer of another, or a default is none of the
            answers, or is not one as people give it.
    """
    read_as: set[str] = set()
    for each in fields:
        _demand_answerable(each)
        _demand_options_apart(each)
        _demand_default(each)
        if (label := _folded(each.label)) in read_as:
            raise bad_form(each.name, f"another field is called {shown(each.label)}, too")
        read_as.add(label)


def _demand_answerable(each: Field) -> None:
    if each.input in {Input.TEXT, Input.LINES, Input.SEVERAL} and each.most == 0:
        raise bad_form(each.name, "its largest limit is 0, so nothing could be answered")
    if each.input is Input.SEVERAL and (each.least or 0) > len(each.options):
        raise bad_form(each.name, "minItems is more than there are options")


def _demand_options_apart(each: Field) -> None:
    values = {_folded(option.value): option for option in each.options}
    read_as: set[str] = set()
    for option in each.options:
        label = _folded(option.label)
        if label in read_as or values.get(label, option) is not option:
            raise bad_form(each.name, f"{shown(option.label)} can be read as two of its options")
        read_as.add(label)


def _folded(text: str) -> str:
    # As eyes tell texts apart: not by the width of a letter, nor by that of a blank.
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _demand_default(each: Field) -> None:
    if each.default is None:
        return
    try:
        is_kept = kept(each, each.default) == each.default
    except BadChange as error:
        raise bad_form(
            each.name, f"its default is none of its answers; {str(error).removesuffix('.')}"
        ) from None
    if not is_kept:
        raise bad_form(each.name, "its default names options in another order")
    is_text = isinstance(each.default, str) and each.input in {Input.TEXT, Input.LINES}
    if is_text and read_typed(each, str(each.default)) != each.default:
        # Sent back untouched it would be another answer than that of who leaves it as it is.
        raise bad_form(
            each.name, "its default has blanks around it, or line ends of two characters"
        )
