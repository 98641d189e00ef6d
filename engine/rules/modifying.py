"""Changing what is asked while approving it: which fields, of which kind, and what that makes of the call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from engine.rules.content import KINDS, Content
from engine.rules.values import TEXT_CHARS_MAX, BadChange, kept, kind_of, read_typed
from engine.rules.wording import BadRule, is_sequence, is_table, shown

FIELDS_MAX: Final = 20

Where: TypeAlias = int | str | None  # in the call: a position, a keyword, or nowhere
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


def mark(
    kind: str,
    fields: object,
    *,
    details: Mapping[str, object],
    call: Mapping[str, Any] | None,
    parameters: Sequence[str] = (),
) -> dict[str, Where]:
    """Where in the call each marked field of `details` stands; `parameters` name its positional arguments.

    Raises:
        BadRule: `unknown_kind`; `invalid_fields`, if none or too many are marked, one is not in
            `details` or holds what people cannot change, or the call has an argument of that name
            with another value: nobody could say which of the two is approved.
    """
    if kind not in KINDS:
        raise BadRule(
            "unknown_kind",
            f"{shown(kind)} is no kind of approval here; possible: {', '.join(KINDS)}.",
        )
    if kind != "modify":
        if fields:
            raise _bad_fields("only an approval of the kind modify has fields that may be changed")
        return {}
    names = fields if is_sequence(fields) else ()
    if not 1 <= len(names) <= FIELDS_MAX or len({str(name) for name in names}) != len(names):
        raise _bad_fields(f"mark 1 to {FIELDS_MAX} fields of details, each once")
    return {
        str(name): _marked(name, details=details, call=call, parameters=parameters)
        for name in names
    }


def settle(content: Content, raw: object) -> dict[str, object]:
    """What `raw` really changes, in the order in which the fields are marked; what stays is left out.

    Amounts are written with the decimals and the currency that were asked, so that people who mean
    the same say the same.

    Raises:
        BadChange: for a field that is not marked, and a value of another kind, of another currency,
            below zero where what was asked is not, or too long.
    """
    if raw is None:
        return {}
    if not is_table(raw):
        raise BadChange("", "changes is an object: the fields that change, with their new values.")
    for name in raw:
        if name not in content.fields:
            possible = ", ".join(content.fields) or "none"
            raise BadChange(
                str(name), f"{shown(name)} may not be changed here; possible: {possible}."
            )
    given = {name: raw[name] for name in content.fields if name in raw}
    settled = {name: kept(name, content.details[name], value) for name, value in given.items()}
    return {name: value for name, value in settled.items() if value != content.details[name]}


def typed(content: Content, texts: Mapping[str, str]) -> dict[str, object]:
    """The values that people typed into inputs, each of the kind of its field; not settled yet.

    A text that is as it was asked, but for its line ends, is what was asked.

    Raises:
        BadChange: for a field that is not marked, and a text that is no number where one is needed.
    """
    unmarked = [name for name in texts if name not in content.fields]
    if unmarked:
        settle(content, dict.fromkeys(unmarked))
    return {name: read_typed(name, content.details[name], text) for name, text in texts.items()}


def parameters(fields: Mapping[str, Where]) -> list[str]:
    """The names of positional arguments, as far as marked fields know them; others are empty."""
    known = {where: name for name, where in fields.items() if isinstance(where, int)}
    return [known.get(position, "") for position in range(max(known, default=-1) + 1)]


def changed(content: Content, changes: Changes) -> Content:
    """`content` as it takes effect with settled `changes`; without any it is `content` itself."""
    if not changes:
        return content
    return replace(
        content,
        details={**content.details, **changes},
        call=changed_call(content.call, content.fields, changes),
    )


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
    return tuple(
        Difference(field=name, old=content.details[name], new=changes[name])
        for name in content.fields
        if name in changes
    )


def _marked(
    name: object,
    *,
    details: Mapping[str, object],
    call: Mapping[str, Any] | None,
    parameters: Sequence[str],
) -> Where:
    if not isinstance(name, str) or name not in details:
        raise _bad_fields(f"{shown(name)} is not in details")
    value = details[name]
    if kind_of(value) is None:
        raise _bad_fields(
            f"{shown(name)} holds neither a text, nor a number, nor yes or no, so nobody can change it"
        )
    if isinstance(value, str) and not 0 < len(value) <= TEXT_CHARS_MAX:
        raise _bad_fields(f"{shown(name)} has not 1 to {TEXT_CHARS_MAX} characters")
    if call is None:
        return None
    arguments = call["arguments"]
    if name in arguments["kwargs"]:
        where: Where = name
        argument: object = arguments["kwargs"][name]
    elif name in parameters[: len(arguments["args"])]:
        where = parameters.index(name)
        argument = arguments["args"][where]
    else:
        return None
    if isinstance(argument, bool) is not isinstance(value, bool) or argument != value:
        raise _bad_fields(
            f"{shown(name)} is {shown(value)} in details and {shown(argument)} in the call"
        )
    return where


def _bad_fields(why: str) -> BadRule:
    return BadRule("invalid_fields", f"These fields cannot be marked: {why}.")
