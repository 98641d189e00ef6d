"""What approvals in a definition ask to be filled in or granted: checked before anything runs, named after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.rules.definitions import references
from engine.rules.marking import AMOUNT, Marking, mark
from engine.rules.wording import BadRule, is_sequence, is_table
from engine.runtime.definitions.reading import Way
from engine.runtime.definitions.terms import Terms
from signoff.outcomes import Decision

_FILLED: Final[Mapping[str, object]] = {"type": "string"}  # stands for a field that a run fills in
_GIVEN: Final = ("approval", "outcome", "by", "changes", "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What can be named of an approval once it is decided, and what inside these parts where that is known."""

    parts: tuple[str, ...]
    inside: Mapping[str, tuple[str, ...]]


def problems(terms: Terms) -> Iterator[tuple[Way, str]]:
    """What no run could ask, with the way to it from the approval on.

    What references fill in is not looked at: the run that fills it in is refused.
    """
    if terms.kind == "form" or terms.form is not None:
        yield from _of_form(terms)
    elif terms.kind == "budget":
        yield from _of_budget(terms)


def given_by(terms: Terms) -> Given:
    """What later steps may name of it."""
    parts, inside = [*_GIVEN], dict[str, tuple[str, ...]]()
    if is_asked_more(terms):
        parts.append("details")
        inside["details"] = tuple(terms.details or ())
    if terms.kind == "form":
        parts.append("form")
        inside["form"] = tuple(_properties(terms))
    return Given(parts=tuple(parts), inside=inside)


def told(decision: Decision, terms: Terms) -> dict[str, object]:
    """The result of the step that waited for it.

    A field of a form that nobody filled in is null, so that it can be asked for in a condition.
    """
    found: dict[str, object] = {
        "approval": decision.approval,
        "outcome": decision.outcome,
        "by": list(decision.by),
        "changes": dict(decision.changes),
        "comment": decision.comment,
    }
    if is_asked_more(terms):
        found["details"] = dict(decision.details)
    if terms.kind == "form":
        found["form"] = {**dict.fromkeys(_properties(terms)), **decision.form}
    return found


def is_asked_more(terms: Terms) -> bool:
    """Whether approvers do more than answer."""
    return terms.kind not in {None, "binary"}


def in_order(value: object) -> object:
    """`value` with the fields of its forms as a list: the order in which people see them is part of it."""
    if is_sequence(value):
        return [in_order(each) for each in value]
    if not is_table(value):
        return value
    found: dict[object, object] = {key: in_order(each) for key, each in value.items()}
    form = value.get("form")
    properties = form.get("properties") if is_table(form) else None
    if value.get("kind") == "form" and is_table(form) and is_table(properties):
        found["form"] = {**form, "properties": [list(each) for each in properties.items()]}
    return found


def _of_form(terms: Terms) -> Iterator[tuple[Way, str]]:
    """Problems of each field by itself, so that each is told where it is written; then of the whole."""
    is_sound, settled = True, dict[str, object]()
    for name, field in _properties(terms).items():
        settled[name] = _FILLED if _is_filled_in(field) else field
        try:
            _mark(terms, form={"properties": {name: settled[name]}}, kind="form")
        except BadRule as error:
            is_sound = False
            yield ("form", "properties", name), str(error)
    whole: dict[str, object] = dict(terms.form or {})
    if not is_sound or _is_filled_in(whole.get("properties"), deep=False):
        return
    if settled:
        whole["properties"] = settled
    try:
        _mark(terms, form=whole, kind=terms.kind or "binary", fields=terms.fields)
    except BadRule as error:
        yield ("fields",) if error.code == "invalid_fields" else ("form",), str(error)


def _of_budget(terms: Terms) -> Iterator[tuple[Way, str]]:
    details = terms.details or {}
    if any(_is_filled_in(details.get(name)) for name in (AMOUNT, "currency")):
        return
    try:
        _mark(terms, kind="budget", fields=terms.fields)
    except BadRule as error:
        yield ("fields",) if error.code == "invalid_fields" else ("details", AMOUNT), str(error)


def _mark(terms: Terms, *, kind: str, form: object = None, fields: object = None) -> None:
    mark(Marking(kind=kind, form=form, fields=fields, details=terms.details or {}))


def _properties(terms: Terms) -> Mapping[str, object]:
    found = (terms.form or {}).get("properties")
    return dict(found) if isinstance(found, dict) else {}


def _is_filled_in(value: object, *, deep: bool = True) -> bool:
    """Whether a run fills it in, or a part of it."""
    return any(deep or not way for way, _ in references(value))
