"""Block Kit blocks and views: everything Slack refuses before it shows anything."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from bot.demo.slack import limits
from bot.demo.slack.elements import AS_ACCESSORY, AS_INPUT, IMAGE, IN_ACTIONS
from bot.demo.slack.shapes import (
    Problem,
    Rule,
    anything,
    by_type,
    choice,
    flag,
    listing,
    plain,
    shape,
    string,
    url,
    words,
)
from bot.demo.trees import Record, minified, record, records, text


class Surface(StrEnum):
    """Where blocks stand; some are allowed on one surface only."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


def _says_something(block: Record, at: str) -> Iterator[Problem]:
    if "text" not in block and "fields" not in block:
        yield Problem(pointer=at, message="missing required field: text")


_BASE: Final[dict[str, Rule]] = {"block_id": string(limits.BLOCK_ID)}
_CONTEXT_ITEM: Final = by_type(
    {
        "image": IMAGE,
        "mrkdwn": words(limits.TEXT_OBJECT),
        "plain_text": words(limits.TEXT_OBJECT),
    }
)
_RICH: Final = by_type(
    dict.fromkeys(
        ("rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"),
        anything,
    )
)
_COMMON: Final[dict[str, Rule]] = {
    "section": shape(
        {"type": anything},
        {
            **_BASE,
            "text": words(limits.TEXT_OBJECT),
            "fields": listing(words(limits.SECTION_FIELD), limits.SECTION_FIELDS),
            "accessory": AS_ACCESSORY,
            "expand": flag,
        },
        _says_something,
    ),
    "divider": shape({"type": anything}, _BASE),
    "header": shape({"type": anything, "text": plain(limits.HEADER)}, _BASE),
    "context": shape(
        {"type": anything, "elements": listing(_CONTEXT_ITEM, limits.CONTEXT_ELEMENTS)}, _BASE
    ),
    "actions": shape(
        {"type": anything, "elements": listing(IN_ACTIONS, limits.ACTIONS_ELEMENTS)}, _BASE
    ),
    "input": shape(
        {"type": anything, "label": plain(limits.LABEL), "element": AS_INPUT},
        {**_BASE, "hint": plain(limits.LABEL), "optional": flag, "dispatch_action": flag},
    ),
    "image": shape(
        {"type": anything, "image_url": url(limits.IMAGE_URL), "alt_text": string(limits.ALT_TEXT)},
        {**_BASE, "title": plain(limits.IMAGE_TITLE)},
    ),
    "rich_text": shape({"type": anything, "elements": listing(_RICH, 1_000)}, _BASE),
}
_MARKDOWN: Final = shape({"type": anything, "text": string(limits.MARKDOWN)}, _BASE)
_ALERT: Final = shape(
    {"type": anything, "text": words(limits.ALERT)},
    {**_BASE, "level": choice("default", "info", "warning", "error", "success")},
)
_BLOCKS: Final[dict[Surface, Rule]] = {
    Surface.MESSAGE: by_type({**_COMMON, "markdown": _MARKDOWN}),
    Surface.MODAL: by_type({**_COMMON, "alert": _ALERT}),
    Surface.HOME: by_type(_COMMON),
}
_MOST: Final = {
    Surface.MESSAGE: limits.MESSAGE_BLOCKS,
    Surface.MODAL: limits.VIEW_BLOCKS,
    Surface.HOME: limits.VIEW_BLOCKS,
}


def block_problems(blocks: object, surface: Surface, *, at: str = "/blocks") -> list[Problem]:
    """What Slack would object to in `blocks`; empty when it would show them."""
    found = list(listing(_BLOCKS[surface], _MOST[surface], least=0)(blocks, at))
    found += _repeated_ids(blocks, at)
    marked = [text(block, "text") for block in records(blocks) if block.get("type") == "markdown"]
    if sum(map(len, marked)) > limits.MARKDOWN:
        found.append(Problem(pointer=at, message="markdown text is too long in total"))
    return found


def elements_of(block: Record) -> list[Record]:
    """The interactive elements of a block, in the order they are drawn."""
    return [
        *records([block.get("accessory")]),
        *(records(block.get("elements")) if block.get("type") == "actions" else []),
        *records([block.get("element")]),
    ]


def _repeated_ids(blocks: object, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, block in enumerate(records(blocks)):
        block_id = text(block, "block_id")
        if block_id and block_id in seen:
            yield Problem(
                pointer=f"{at}/{index}/block_id", message=f"`block_id` must be unique: {block_id}"
            )
        seen.add(block_id)
        names = [text(element, "action_id") for element in elements_of(block)]
        for name in sorted({name for name in names if name and names.count(name) > 1}):
            yield Problem(
                pointer=f"{at}/{index}/elements", message=f"`action_id` must be unique: {name}"
            )


def _submit_where_input(view: Record, at: str) -> Iterator[Problem]:
    asks = any(block.get("type") == "input" for block in records(view.get("blocks")))
    if asks and "submit" not in view:
        yield Problem(pointer=at, message="must define `submit` to use an `input` block in modals")


_VIEW_BASE: Final[dict[str, Rule]] = {
    "private_metadata": string(limits.PRIVATE_METADATA, least=0),
    "callback_id": string(limits.CALLBACK_ID, least=0),
    "external_id": string(limits.EXTERNAL_ID, least=0),
}
_MODAL: Final = shape(
    {"type": anything, "title": plain(limits.TITLE), "blocks": anything},
    {
        **_VIEW_BASE,
        "close": plain(limits.TITLE),
        "submit": plain(limits.TITLE),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
    _submit_where_input,
)
_HOME: Final = shape({"type": anything, "blocks": anything}, _VIEW_BASE)


def view_problems(view: object, surface: Surface, *, at: str = "/view") -> list[Problem]:
    """What Slack would object to in `view`, a modal or a home tab."""
    rule = by_type({surface.value: _MODAL if surface is Surface.MODAL else _HOME})
    found = list(rule(view, at))
    if not found or record(view).get("type") == surface.value:
        found += block_problems(record(view).get("blocks", []), surface, at=f"{at}/blocks")
    return found


def is_too_large(view: object) -> bool:
    """Whether a view is over the bytes that Slack keeps."""
    return len(minified(view).encode()) > limits.VIEW_BYTES
