"""Answers to a form as they are given in a terminal: `--answer when=tonight`, or one question after the other."""

from collections.abc import Callable, Mapping, Sequence

import typer

from bot.cli.approval_shapes import Approval
from bot.cli.terminal import say
from channels.asking import answer_text, asked_line
from channels.visible import visible
from engine.rules.answers import BadAnswer, kept, missing, read_typed
from engine.rules.forms import Field, Input
from engine.rules.values import BadChange
from engine.rules.wording import shown

Put = Callable[[str, str], str]  # a question and its default to what is typed


def read(written: Sequence[str], fields: Sequence[Field]) -> dict[str, object]:
    """The answers as the API takes them; options by what is answered or by what is read.

    What is asked, and whether it may be answered so, is for the server to say.

    Raises:
        BadAnswer: if one is not written `field=value`, is written twice, or is no number where one
            is asked.
    """
    known = {each.name: each for each in fields}
    found: dict[str, object] = {}
    for each in written:
        name, is_given, text = each.partition("=")
        if not is_given or name in found:
            raise BadAnswer(name, f"Write each answer once, as field=value; {each!a} is not.")
        found[name] = _value(known[name], text) if name in known else text
    return found


def demand_all(fields: Sequence[Field], given: Mapping[str, object]) -> None:
    """Return if all that is required is answered, or has a default.

    Raises:
        BadAnswer: with the words that are missing.
    """
    left = [
        each for each in fields if each.is_required and given.get(each.name, each.default) is None
    ]
    if left:
        words = " ".join(f"--answer {each.name}=…" for each in left)
        asked = "; ".join(asked_line(each) for each in left)
        raise BadAnswer(left[0].name, f"Fill in what it asks: {words} ({asked}).")


def ask(fields: Sequence[Field], put: Put | None = None) -> dict[str, object]:
    """The answers of whoever sits at the terminal: each field in turn, until it is answered as asked."""
    return {each.name: _asked(each, put or _prompt) for each in fields}


def outcome_of(approval: Approval, person: str) -> str:
    """The digest of what `person` would approve.

    Raises:
        BadAnswer: if they approve nothing so far, naming those who do.
    """
    for outcome in approval.outcomes:
        if person.removeprefix("person:") in outcome.by:
            return outcome.digest
    people = ", ".join(who for outcome in approval.outcomes for who in outcome.by) or "nobody yet"
    raise BadAnswer("", f"{shown(person)} approves nothing here; {people} does.")


def _asked(field: Field, put: Put) -> object:
    default = "" if field.default is None else answer_text(field, field.default)
    question = asked_line(field) + (f" ({field.help})" if field.help else "")
    while True:
        try:
            said = put(question, default)
            # What is offered is taken as it is: read again, its commas might make another answer of it.
            is_default = bool(default) and said in {default, visible(default)}
            value = field.default if is_default else kept(field, _value(field, said))
            if value is None and field.is_required:
                raise missing(field)
        except BadChange as error:
            say(str(error))
        else:
            return value


def _value(field: Field, text: str) -> object:
    """What somebody typed, with options by their labels, and several of them behind commas."""
    values = {each.label: each.value for each in field.options}
    values |= {each.value: each.value for each in field.options}
    said = text.strip()
    if not said:
        return None
    if field.input is Input.SEVERAL and said not in values:
        parts = [each.strip() for each in said.split(",")]
        return read_typed(field, "\n".join(values.get(each, each) for each in parts if each))
    return read_typed(field, values.get(said, text))


def _prompt(question: str, default: str) -> str:
    offered = f" [{visible(default)}]" if default else ""
    # On stderr: what is printed on stdout is the result.
    typer.echo(f"{visible(question)}{offered}: ", nl=False, err=True)
    try:
        return input() or default
    except EOFError:
        raise typer.Abort from None
