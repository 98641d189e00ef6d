"""The command `/approvals`: mine, show, approve, reject and help, answered only to who typed it."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from channels.slack import wire
from channels.slack.blocks import details_blocks, link_button
from channels.slack.desk import NOT_CONFIRMED, Delivery, Desk
from channels.slack.facts import Block
from channels.slack.listeners import NOTHING, Ack
from channels.slack.sight import card_for, reader
from channels.slack.text import clipped, cut, escape, is_link, mrkdwn, one_line, plain, prose
from channels.slack.voting import Wish, vote
from engine.errors import EngineError, Unavailable
from engine.rules.tally import Choice
from engine.services import approvals
from engine.services.approvals import Nearest
from engine.store.database import Transaction

Blocks: TypeAlias = list[Block]

LISTED: Final = 10
_TITLE_CHARS: Final = 300
_APPROVAL: Final = re.compile(r"apr_[0-9A-Za-z_-]{1,48}", re.ASCII)
_CHOICES: Final = {"approve": Choice.APPROVE, "reject": Choice.REJECT}
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was typed after the command."""

    verb: str
    approval: str = ""
    comment: str | None = None


def parse(text: str) -> Words:
    """What `text` asks for; whatever it does not understand asks for help, and changes nothing."""
    for entity, char in _ENTITIES:
        text = text.replace(entity, char)
    match text.split(maxsplit=2):
        case [] | ["mine"]:
            return Words(verb="mine")
        case [("show" | "approve" | "reject") as verb, approval, *rest] if _APPROVAL.fullmatch(
            approval
        ):
            return Words(verb=verb, approval=approval, comment=rest[0] if rest else None)
        case _:
            return Words(verb="help")


async def command(desk: Desk, delivery: Delivery) -> Ack:
    """Answer `/approvals`. A vote is committed before it is answered, and counts once."""
    if not isinstance(delivery.said, wire.Command):
        return NOTHING
    words = parse(delivery.said.text)
    if words.verb in _CHOICES:
        told = await vote(desk, delivery, _wish(words))
        return NOTHING if told is None else _ephemeral(told.text, [_section(told.text)])
    try:
        found = await desk.once(delivery, partial(_answer, desk, delivery, words))
    except Unavailable:
        return _ephemeral(NOT_CONFIRMED, [_section(NOT_CONFIRMED)])
    except EngineError as error:
        return _ephemeral(str(error), [_section(str(error))])
    return NOTHING if found is None else _ephemeral(*found)


def _wish(words: Words) -> Wish:
    return Wish(approval=words.approval, choice=_CHOICES[words.verb], comment=words.comment)


def _answer(desk: Desk, delivery: Delivery, words: Words, tx: Transaction) -> tuple[str, Blocks]:
    match words.verb:
        case "mine":
            return _mine(tx, desk, delivery)
        case "show":
            card = card_for(tx, desk, delivery, words.approval)
            blocks = [*details_blocks(card), *_links(card.page_url, "Open to decide")]
            return card.title, blocks
        case _:
            text = prose("help")
            return text, [{"type": "section", "block_id": "signoff:help", "text": mrkdwn(text)}]


def _mine(tx: Transaction, desk: Desk, delivery: Delivery) -> tuple[str, Blocks]:
    person = reader(tx, desk, delivery)
    count = approvals.count_of(tx, delivery.tenant, person.id)
    waiting = approvals.inbox_of(tx, delivery.tenant, person.id, Nearest(limit=LISTED))
    text = f"{approvals.counted(count) if count else 'Nothing'} waiting for you"
    blocks = [_section(text)]
    for n, row in enumerate(waiting):
        words = clipped(one_line(f"{row.content.action}: {row.content.title}"), _TITLE_CHARS)
        item: Block = {
            "type": "section",
            "block_id": f"signoff:mine:{n}",
            "text": plain(f"{words}\n{row.id}"),
        }
        if is_link(url := desk.page(row.id)):
            item["accessory"] = link_button(url, "Open")
        blocks.append(item)
    if count > LISTED:
        blocks += _links(f"{desk.base_url.rstrip('/')}/approvals", "Open all of them")
    return text, blocks


def _links(url: str, label: str) -> Blocks:
    if not is_link(url):
        return []
    button = link_button(url, label)
    return [{"type": "actions", "block_id": "signoff:links", "elements": [button]}]


def _section(text: str) -> Block:
    return {"type": "section", "block_id": "signoff:answer", "text": plain(text)}


def _ephemeral(text: str, blocks: Blocks) -> Ack:
    words = cut(escape(one_line(text)), _TITLE_CHARS)
    return {"response_type": "ephemeral", "text": words, "blocks": blocks}
