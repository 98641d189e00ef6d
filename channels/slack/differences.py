"""Changes as blocks: old and new as plain characters, with a button only under what is shown whole."""

from collections.abc import Iterable, Iterator
from typing import Final

from channels.base import Card, Change, Proposal
from channels.saying import said, whose
from channels.slack import limits
from channels.slack.facts import Block, bold
from channels.slack.reference import Reference
from channels.slack.text import clipped, one_line, plain

AGREE: Final = "signoff:agree"
PROPOSALS_MOST: Final = 3  # a message has fifty blocks, and facts take most of them
NAMES_CHARS: Final = 200
_DECIDED: Final = {"form": "Filled in by the approvers", "budget": "Granted by the approvers"}


def change_blocks(card: Card, *, can_vote: bool) -> Iterator[Block]:
    """What was changed, or what people would change, each with its button where it can be agreed to.

    Of more than three proposals the first are shown; the others are on the page.
    """
    is_form = card.kind == "form"
    if card.decided:
        yield _section("changed", bold(_DECIDED.get(card.kind, "Changed by the approvers")))
        yield _section("changes", plain(lines(card.decided, is_form=is_form)))
    if card.ending is not None or card.status != "open":
        return
    for number, proposal in enumerate(card.proposals[:PROPOSALS_MOST]):
        who = clipped(one_line(whose(proposal.names)), NAMES_CHARS)
        yield _section(f"proposal:{number}", bold(f"{who} would approve with"))
        block = _section(f"changes:{number}", plain(lines(proposal.changes, is_form=is_form)))
        is_whole = len(lines(proposal.changes, is_form=is_form)) <= limits.SECTION_TEXT
        if can_vote and proposal.can_agree_here and is_whole:
            block["accessory"] = _agree(card, proposal)
        yield block
    if len(card.proposals) > PROPOSALS_MOST:
        more = len(card.proposals) - PROPOSALS_MOST
        yield _section("more-proposals", plain(f"{more} more on the page."))


def lines(changes: Iterable[Change], *, is_form: bool = False) -> str:
    """One line for each field: `amount: 620.00 → 20.00`, and of a form `When: tonight`."""
    return "\n".join(
        said(one_line(each.label), "" if is_form else one_line(each.old), one_line(each.new))
        for each in changes
    )


def _agree(card: Card, proposal: Proposal) -> Block:
    reference = Reference(approval=card.approval, version=card.version, digest=proposal.digest)
    return {
        "type": "button",
        "action_id": AGREE,
        "text": plain("Approve so", limits.BUTTON_TEXT),
        "value": str(reference),
        "style": "primary",
    }


def _section(name: str, text: dict[str, object]) -> Block:
    return {"type": "section", "block_id": f"signoff:{name}", "text": text}
