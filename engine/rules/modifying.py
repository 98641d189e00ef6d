"""Changing what is asked while approving it, or filling in what it asks for, and what that makes of the call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias

from engine.rules import answers
from engine.rules.answers import BadAnswer, missing
from engine.rules.content import Content
from engine.rules.forms import Field
from engine.rules.marking import Where
from engine.rules.values import BadChange, demand_granted, kept, read_typed
from engine.rules.wording import is_table, shown

Changes: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field, as it was asked and as it would be."""

    field: str
    old: object
    new: object

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {"field": self.field, "old": self.old, "new": self.new}


def settle(content: Content, raw: object) -> dict[str, object]:
    """What `raw` really changes, in the order in which the fields are marked; what stays is left out.

    Amounts are written with the decimals and the currency that were asked, so that people who mean
    the same say the same. Of a form it is every answer that is not its default, None where somebody
    took a default out.

    Raises:
        BadChange: for a field that is not marked, and a value of another kind, of another currency,
            below zero where what was asked is not, above what was asked of a budget, or too long.
        BadAnswer: for what a form does not take.
    """
    if raw is None:
        return {}
    if not is_table(raw):
        raise BadChange("", "changes is an object: the fields that change, with their new values.")
    for name in raw:
        if name not in content.fields:
            _refuse_unmarked(content, name)
    # Read of the form once, and not for each field.
    proposed, asked = content.proposed, content.asked
    given = {name: raw[name] for name in content.fields if name in raw}
    settled = {name: _kept(content, asked.get(name), name, value) for name, value in given.items()}
    return {name: value for name, value in settled.items() if value != proposed[name]}


def demand_complete(content: Content, changes: Changes) -> None:
    """Return if consent with these settled changes answers everything that a form requires.

    Raises:
        BadAnswer: naming the first field without an answer.
    """
    answers = answered(content, changes)
    for name, asked in content.asked.items():
        if asked.is_required and name not in answers:
            raise missing(asked)


def answered(content: Content, changes: Changes) -> dict[str, object]:
    """What a form is filled in with: its defaults and the settled changes; empty for other kinds."""
    if content.form is None:
        return {}
    filled = {**content.proposed, **changes}
    return {name: value for name, value in filled.items() if value is not None}


def typed(content: Content, texts: Mapping[str, str]) -> dict[str, object]:
    """The values that people typed into inputs, each of the kind of its field; not settled yet.

    A text that is as it was asked, but for its line ends, is what was asked.

    Raises:
        BadChange: for a field that is not marked, and a text that is no number where one is needed.
    """
    for name in texts:
        if name not in content.fields:
            _refuse_unmarked(content, name)
    if asked := content.asked:
        return {name: _answer(asked[name], text) for name, text in texts.items()}
    return {name: read_typed(name, content.details[name], text) for name, text in texts.items()}


def _answer(asked: Field, text: str) -> object:
    read = answers.read_typed(asked, text)
    # Boxes of which some must be ticked, or none at all: without a tick they are not answered.
    is_left_open = read == [] and asked.least and not asked.is_required
    return None if is_left_open else read


def parameters(fields: Mapping[str, Where]) -> list[str]:
    """The names of positional arguments, as far as marked fields know them; others are empty."""
    known = {where: name for name, where in fields.items() if isinstance(where, int)}
    return [known.get(position, "") for position in range(max(known, default=-1) + 1)]


def changed(content: Content, changes: Changes) -> Content:
    """`content` as it takes effect with settled `changes`; without any it is `content` itself."""
    if not changes:
        return content
    call = changed_call(content.call, content.fields, changes)
    if content.form is not None:
        return replace(content, answers=answered(content, changes), call=call)
    return replace(content, details={**content.details, **changes}, call=call)


def changed_call(
    call: Mapping[str, Any] | None, fields: Mapping[str, Where], changes: Changes
) -> Mapping[str, Any] | None:
    """`call` with the changed values where its arguments of that name stand."""
    if call is None:
        return None
    args, kwargs = list(call["arguments"]["args"]), dict(call["arguments"]["kwargs"])
    for name, value in changes.items():
        match fields.get(name):
            case int() as position:
                args[position] = value
            case str() as keyword:
                kwargs[keyword] = value
            case None:
                pass
    return {**call, "arguments": {"args": args, "kwargs": kwargs}}


def differences(content: Content, changes: Changes) -> tuple[Difference, ...]:
    """Old and new of every changed field, in the order in which they are marked."""
    proposed = content.proposed
    return tuple(
        Difference(field=name, old=proposed[name], new=changes[name])
        for name in content.fields
        if name in changes
    )


def _kept(content: Content, asked: Field | None, name: str, value: object) -> object:
    if asked is not None:
        return answers.kept(asked, value)
    before = content.details[name]
    after = kept(name, before, value)
    if content.is_budget:
        demand_granted(name, asked=str(before), granted=str(after))
    return after


def _refuse_unmarked(content: Content, name: object) -> NoReturn:
    possible = ", ".join(content.fields) or "none"
    if content.form is not None:
        raise BadAnswer(str(name), f"{shown(name)} is not asked here; possible: {possible}.")
    raise BadChange(str(name), f"{shown(name)} may not be changed here; possible: {possible}.")
