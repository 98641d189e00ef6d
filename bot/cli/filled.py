"""What an approval asks to be filled in, changed or granted, and what people made of it, in lines of a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.cli.approval_shapes import Approval, Difference
from bot.cli.drawing import value
from channels.asking import amount_of, answer_text, asked_line
from channels.saying import said
from channels.visible import visible
from engine.rules.forms import Field, fields_of

Lines = Iterable[tuple[str, str]]


def form_of(approval: Approval) -> tuple[Field, ...]:
    """The fields of its form, in their order; none for another kind."""
    return () if approval.form is None else fields_of(approval.form)


def asked(approval: Approval) -> Lines:
    """What approvers may say besides yes and no."""
    if approval.status != "open":
        return
    fields = form_of(approval)
    for each in fields:
        yield f"  {each.name}", _line(asked_line(each) + (f" ({each.help})" if each.help else ""))
    if approval.kind == "budget":
        yield "may grant", _line(f"at most {amount_of(approval.details)}")
    elif approval.fields and not fields:
        yield "may change", ", ".join(approval.fields)


def granted(approval: Approval) -> Lines:
    """What was decided to be filled in, changed or granted."""
    decision = approval.decision
    if decision is not None and decision.form is not None:
        for line in answers(approval, decision.form):
            yield "filled in", line
        return
    label = "granted" if approval.kind == "budget" else "changed"
    yield from ((label, _change(each)) for each in approval.differences)


def proposed(approval: Approval) -> Lines:
    """What some would approve, each with whom it is from."""
    if approval.status != "open":
        return
    defaults = {each.name: each.default for each in form_of(approval)}
    for outcome in approval.outcomes:
        who = f"{', '.join(outcome.by)} with"
        if defaults:
            for line in answers(approval, {**defaults, **outcome.changes}):
                yield who, line
        for each in () if defaults else outcome.differences:
            yield who, _change(each)


def answers(approval: Approval, filled: Mapping[str, Any]) -> list[str]:
    """What a form was filled in with, a line for each field that was."""
    return [
        _line(said(each.label, "", answer_text(each, filled[each.name])))
        for each in form_of(approval)
        if filled.get(each.name) is not None
    ]


def _change(change: Difference) -> str:
    return _line(said(change.field, value(change.old), value(change.new)))


def _line(text: str) -> str:
    return visible(text.replace("\n", "; "))
