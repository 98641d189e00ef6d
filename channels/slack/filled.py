"""What stood in the inputs of a window when it was sent, read strictly, as the texts that the one door takes."""

from collections.abc import Mapping, Sequence
from typing import Final

from channels.base import Card
from channels.slack import wire
from channels.slack.inputs import COMMENT, PUT, element_type, form_block, is_chosen_between
from channels.slack.modals import typeable_blocks
from engine.errors import Invalid
from engine.rules.forms import Field, Input

_OTHER: Final = (
    "This window is not the one that belongs to it. Nothing was recorded; press its button again."
)


def typed(card: Card, state: wire.State) -> dict[str, str]:
    """The texts by field: all that was shown, and nothing that was not.

    Raises:
        Invalid: for other inputs than those of `card`, of another kind, or with what is no option.
    """
    given = {block: inputs for block, inputs in state.values.items() if block != COMMENT}
    if not card.asked:
        blocks = {block: field.label for block, field in typeable_blocks(card).items()}
        _demand_all(given, blocks)
        return {name: _one(given[block], COMMENT).value or "" for block, name in blocks.items()}
    fields = {form_block(number): field for number, field in enumerate(card.asked)}
    _demand_all(given, fields)
    return {field.name: _text(field, given[block]) for block, field in fields.items()}


def block_of(card: Card, name: str) -> str | None:
    """The block in which the field `name` is answered or changed; None where it has none."""
    asked = (form_block(number) for number, field in enumerate(card.asked) if field.name == name)
    changed = (block for block, field in typeable_blocks(card).items() if field.label == name)
    return next(iter((*asked, *changed)), None) if name else None


def _demand_all(given: Mapping[str, object], shown: Mapping[str, object]) -> None:
    if given.keys() != shown.keys():
        raise _other()


def _one(inputs: Mapping[str, wire.Input], action: str) -> wire.Input:
    if list(inputs) != [action]:
        raise _other()
    return inputs[action]


def _text(field: Field, inputs: Mapping[str, wire.Input]) -> str:
    put = _one(inputs, PUT)
    if put.type != element_type(field):
        raise _other()
    match field.input:
        case Input.TEXT | Input.LINES | Input.WHOLE | Input.NUMBER:
            return put.value or ""
        case Input.DATE:
            return put.selected_date or ""
        case Input.YES_NO:
            if is_chosen_between(field):
                return "".join(_chosen(_single(put), ["yes", "no"]))
            return "yes" if _chosen(put.selected_options, ["yes"]) else "no"
        case Input.ONE:
            return "".join(_chosen(_single(put), [each.value for each in field.options]))
        case Input.SEVERAL:
            several = _chosen(put.selected_options, [each.value for each in field.options])
            return "\n".join(several)


def _single(put: wire.Input) -> tuple[wire.Option, ...]:
    return () if put.selected_option is None else (put.selected_option,)


def _chosen(given: Sequence[wire.Option] | None, values: Sequence[str]) -> list[str]:
    by_number = {str(number): value for number, value in enumerate(values)}
    chosen = [by_number.get(each.value or "") for each in given or ()]
    found = [each for each in chosen if each is not None]
    if len(found) != len(chosen):
        raise _other()
    return found


def _other() -> Invalid:
    return Invalid(_OTHER, code="bad_request")
