"""Which fields of what is asked approvers may change or fill in, and where in the call each of them stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from engine.rules import forms
from engine.rules.clear_forms import demand_clear
from engine.rules.content import KINDS
from engine.rules.values import TEXT_CHARS_MAX, is_grantable, kind_of
from engine.rules.wording import BadRule, is_sequence, shown

FIELDS_MAX: Final = 20
AMOUNT: Final = "amount"  # what a budget asks for, in its details

Where: TypeAlias = int | str | None  # in the call: a position, a keyword, or nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """What a request says of its kind, as written; nothing in it is trusted yet.

    `parameters` name the positional arguments of the `call`.
    """

    kind: str = "binary"
    fields: object = None
    form: object = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    call: Mapping[str, Any] | None = None
    parameters: Sequence[str] = ()


def mark(asked: Marking) -> dict[str, Where]:
    """Where in the call each field stands that approvers may change or fill in, in their order.

    Raises:
        BadRule: `unknown_kind`; `invalid_fields`, if none or too many are marked, one is not in
            `details` or holds what people cannot change, or the call has an argument of that name
            with another value: nobody could say which of the two is approved; `invalid_form`, if
            the form is not one that can be shown everywhere; `bad_money`, if a budget names no
            amount above zero and its currency.
    """
    if asked.kind not in KINDS:
        raise BadRule(
            "unknown_kind",
            f"{shown(asked.kind)} is no kind of approval here; possible: {', '.join(KINDS)}.",
        )
    if asked.form is not None and asked.kind != "form":
        raise forms.bad_form("", "only an approval of the kind form has one")
    match asked.kind:
        case "form":
            return _of_form(asked)
        case "budget":
            return _of_budget(asked)
        case "modify":
            return _of_details(asked)
        case _:
            _refuse_fields(asked)
            return {}


def _of_form(asked: Marking) -> dict[str, Where]:
    _refuse_fields(asked)
    fields = forms.fields_of(asked.form)
    demand_clear(fields)
    return {each.name: _where(asked, each.name, each.default) for each in fields}


def _of_budget(asked: Marking) -> dict[str, Where]:
    if asked.fields is not None and asked.fields not in ([AMOUNT], (AMOUNT,)):
        raise _bad_fields(f"of a budget only {AMOUNT} may be changed")
    amount, currency = asked.details.get(AMOUNT), asked.details.get("currency")
    if not is_grantable(amount, currency):
        raise BadRule(
            "bad_money",
            f'A budget asks for an amount above zero, written as text in details: {{"{AMOUNT}": '
            f'"620.00 USD"}}; {shown(amount)} is none.',
        )
    return {AMOUNT: _where(asked, AMOUNT, amount)}


def _of_details(asked: Marking) -> dict[str, Where]:
    names = asked.fields if is_sequence(asked.fields) else ()
    if not 1 <= len(names) <= FIELDS_MAX or len({str(name) for name in names}) != len(names):
        raise _bad_fields(f"mark 1 to {FIELDS_MAX} fields of details, each once")
    return {str(name): _marked(asked, name) for name in names}


def _marked(asked: Marking, name: object) -> Where:
    if not isinstance(name, str) or name not in asked.details:
        raise _bad_fields(f"{shown(name)} is not in details")
    value = asked.details[name]
    if kind_of(value) is None:
        raise _bad_fields(
            f"{shown(name)} holds neither a text, nor a number, nor yes or no, so nobody can change it"
        )
    if isinstance(value, str) and not 0 < len(value) <= TEXT_CHARS_MAX:
        raise _bad_fields(f"{shown(name)} has not 1 to {TEXT_CHARS_MAX} characters")
    return _where(asked, name, value)


def _where(asked: Marking, name: str, value: object) -> Where:
    """Where in the call the argument `name` stands; it must be `value` there, None for no answer yet."""
    if asked.call is None:
        return None
    arguments = asked.call["arguments"]
    if name in arguments["kwargs"]:
        where: Where = name
        argument: object = arguments["kwargs"][name]
    elif name and name in asked.parameters[: len(arguments["args"])]:
        where = asked.parameters.index(name)
        argument = arguments["args"][where]
    else:
        return None
    if isinstance(argument, bool) is not isinstance(value, bool) or argument != value:
        there = "asked" if asked.kind == "form" else "in details"
        raise _bad_fields(
            f"{shown(name)} is {shown(value)} {there} and {shown(argument)} in the call"
        )
    return where


def _refuse_fields(asked: Marking) -> None:
    if asked.fields:
        raise _bad_fields("only an approval of the kind modify has fields that may be changed")


def _bad_fields(why: str) -> BadRule:
    return BadRule("invalid_fields", f"These fields cannot be marked: {why}.")
