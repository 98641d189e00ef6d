"""The inputs an approval asks for: of its form's fields, or of what may be changed in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from channels.asking import amount_of, wanted
from channels.saying import text_of
from channels.visible import visible
from engine.rules.forms import Field, Input, Option, fields_of
from engine.rules.values import FieldKind, kind_of, read_number
from engine.rules.wording import is_sequence

Json = Mapping[str, Any]

FORM: Final = "form."  # before the name of a form's field, as it is posted
CHANGES: Final = "changes."  # before the name of what may be changed
COMMENT: Final = "comment"
RADIOS_MAX: Final = 5  # more to choose from are a menu
_YES_NO: Final = (Option(value="yes", label="Yes"), Option(value="no", label="No"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What somebody sent and was refused for, so that it stands there again; no `refusal`, nothing yet.

    `typed` are the texts of inputs by the names under which they were posted. `field` is what the
    refusal is about: a field's own name, `comment`, or nothing in particular.
    """

    choice: str = ""
    comment: str = ""
    typed: Mapping[str, str] = field(default_factory=dict[str, str])
    field: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One input. `kind` is text, lines, number, date, radios, menu or several.

    `name` is what the form posts: `form.<key>` for an answer, `changes.<key>` for a change of what is
    asked. `value` is what stands in it before anybody touches it; of several, one on a line each.
    """

    name: str
    label: str
    kind: str
    is_required: bool
    value: str
    help: str = ""
    limit: str = ""  # what an answer has to keep to, in words
    options: Sequence[Option] = ()
    limits: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: str | None = None  # what stands in it as it was asked, where it may be changed
    refusal: str = ""  # why it was not taken

    @property
    def type(self) -> str:
        """The type of an `<input>`: one that can show its value even where that is none of its kind."""
        fits = not self.value or _FITS.get(self.kind, _is_any)(self.value)
        return self.kind if fits else "text"

    @property
    def described_by(self) -> str:
        """The ids of what explains it."""
        parts = (("help", self.help or self.limit), ("refusal", self.refusal))
        return " ".join(f"{self.name}-{part}" for part, text in parts if text)

    @property
    def chosen(self) -> Sequence[str]:
        """The options that are chosen in it."""
        return self.value.split("\n") if self.kind == "several" else (self.value,)


def form_fields(
    approval: Json, person: Json | None = None, sent: Sent | None = None
) -> list[FormField]:
    """The inputs of `approval`, in its own order; none for a plain yes or no.

    In each stands what was `sent` and refused; else what `person` answered; else what was asked.
    """
    if approval["kind"] == "form":
        mine = _given(approval, person, "form")
        shown = [_of_form(asked, mine) for asked in fields_of(approval["form"])]
    else:
        mine = _given(approval, person, "changes")
        changes = [_of_change(approval, key, mine or {}) for key in approval["fields"] or ()]
        # What cannot be seen cannot be typed again: sent back, it would be another value.
        shown = [each for each in changes if visible(each.asked or "") == each.asked]
    return [_as_sent(each, sent) for each in shown] if sent and sent.refusal else shown


def _given(approval: Json, person: Json | None, part: str) -> Json | None:
    """What somebody's consent to the present version fills in or changes; None where there is none."""
    given: list[Json | None] = [
        vote[part]
        for vote in approval["votes"]
        if person is not None and vote["person"] == person["id"]
        if vote["counted"] and vote["choice"] == "approve"
    ]
    return given[-1] if given else None


def _as_sent(shown: FormField, sent: Sent) -> FormField:
    # Of radios none of which is chosen a browser sends nothing; of everything else it does.
    value = sent.typed.get(shown.name, "" if shown.kind == "radios" else shown.value)
    is_refused = shown.name.partition(".")[2] == sent.field
    return replace(shown, value=value, refusal=sent.refusal if is_refused else "")


def _of_form(asked: Field, mine: Json | None) -> FormField:
    value = asked.default if mine is None else mine.get(asked.name)
    text = _typed(value)
    # A box that nobody ticks says no; only where an answer is required somebody has to give it.
    if asked.input is Input.YES_NO and not asked.is_required and not text:
        text = "no"
    kind = _kind(asked)
    return FormField(
        name=f"{FORM}{asked.name}",
        label=asked.label,
        kind=kind,
        is_required=asked.is_required,
        value=text,
        help=asked.help,
        limit=wanted(asked) if asked.least is not None or asked.most is not None else "",
        options=_options(asked, kind),
        limits=_limits(asked),
    )


def _kind(asked: Field) -> str:
    if asked.input is Input.ONE:
        return "radios" if len(asked.options) <= RADIOS_MAX else "menu"
    return _KINDS[asked.input]


_KINDS: Final[Mapping[Input, str]] = {
    Input.TEXT: "text",
    Input.LINES: "lines",
    Input.WHOLE: "number",
    Input.NUMBER: "number",
    Input.YES_NO: "radios",
    Input.SEVERAL: "several",
    Input.DATE: "date",
}


def _options(asked: Field, kind: str) -> Sequence[Option]:
    if asked.input is Input.YES_NO:
        return _YES_NO
    if asked.input is not Input.ONE:
        return asked.options
    none = Option(value="", label="Choose…" if asked.is_required else "No answer")
    if kind == "menu":
        return (none, *asked.options)
    return asked.options if asked.is_required else (*asked.options, none)


def _limits(asked: Field) -> dict[str, str]:
    least, most = asked.least, asked.most
    match asked.input:
        case Input.TEXT | Input.LINES:
            named = {"minlength": least, "maxlength": most}
        case Input.WHOLE | Input.NUMBER:
            named = {"min": least, "max": most}
        case _:
            named = {}
    limits = {name: text_of(limit) for name, limit in named.items() if limit is not None}
    if asked.input in {Input.WHOLE, Input.NUMBER}:
        is_whole = asked.input is Input.WHOLE
        limits["step"] = "1" if is_whole else "any"
        # The keys of a phone have no minus where only figures are asked for.
        if least is not None and least >= 0:
            limits["inputmode"] = "numeric" if is_whole else "decimal"
    return limits


def _of_change(approval: Json, key: str, mine: Json) -> FormField:
    old = approval["details"][key]
    new = mine.get(key, old)
    if approval["kind"] == "budget":
        return _of_budget(key, approval["details"], _figure(new))
    found, kind = kind_of(old), "text"
    options: Sequence[Option] = ()
    limits: Mapping[str, str] = {}
    match found:
        case FieldKind.YES_NO:
            kind, options = "menu", tuple(replace(each, label=each.value) for each in _YES_NO)
        case FieldKind.WHOLE | FieldKind.NUMBER:
            kind, limits = "number", {"step": "any"}
        case FieldKind.AMOUNT if not old.startswith("-"):
            limits = {"inputmode": "decimal"}
        case _:
            kind = "lines" if "\n" in str(old) else "text"
    return FormField(
        name=f"{CHANGES}{key}",
        label=key,
        kind=kind,
        is_required=True,
        value=_typed(new),
        options=options,
        limits=limits,
        asked=_typed(old),
    )


def _of_budget(key: str, details: Json, value: str) -> FormField:
    asked = _figure(details[key])
    places = len(asked.partition(".")[2])
    smallest = f"0.{'1'.zfill(places)}" if places else "1"
    return FormField(
        name=f"{CHANGES}{key}",
        label="Grant",
        kind="number",
        is_required=True,
        value=value,
        limit=f"at most {amount_of(details)}",
        limits={
            "min": smallest,
            "max": asked,
            "step": smallest,
            "inputmode": "decimal" if places else "numeric",
        },
        asked=asked,
    )


def _figure(amount: object) -> str:
    return str(amount).partition(" ")[0]


def _typed(value: object) -> str:
    """A value as it stands in an input; nothing for no answer."""
    if value is None:
        return ""
    return "\n".join(map(text_of, value)) if is_sequence(value) else text_of(value)


def _is_number(text: str) -> bool:
    return read_number(text) is not None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_any(_text: str) -> bool:
    return True


_FITS: Final = {"number": _is_number, "date": _is_day}
