"""A card as Block Kit: what would happen, who said what, and buttons only if all of it is seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from channels.asking import amount_on
from channels.base import Card, VoteLine
from channels.slack import limits
from channels.slack.asked import amount_blocks, asked_blocks, is_one_press
from channels.slack.differences import PROPOSALS_MOST, change_blocks, lines
from channels.slack.facts import Block, bold, fact_blocks
from channels.slack.inputs import is_fillable
from channels.slack.reference import Reference, short
from channels.slack.text import (
    Mrkdwn,
    TextObject,
    clipped,
    cut,
    is_link,
    mrkdwn,
    one_line,
    plain,
    prose,
    shown,
)
from engine.digest import canonical, sha256

APPROVE: Final = "signoff:approve"
CHANGE: Final = "signoff:change"
FILL: Final = "signoff:fill"
REJECT: Final = "signoff:reject"
MORE: Final = "signoff:more"
OPEN: Final = "signoff:open"
DETAILS: Final = "details"
ACTION_CHARS: Final = 500
_LINES_MOST: Final = 20
_COMMENT_CHARS: Final = 200
_CHANGE_LABELS: Final = {"budget": "Grant less…"}
_FALLBACK_CHARS: Final = 1_000
_SAID: Final = {
    "approve": "approved",
    "reject": "rejected",
    "request_changes": "asked for changes",
    "abstain": "abstained",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A message ready to be sent. `left_out` names every fact that it does not show in full."""

    blocks: tuple[Block, ...]
    text: str
    left_out: tuple[str, ...]
    can_vote: bool

    @property
    def shown(self) -> str:
        """The SHA-256 of exactly what is sent."""
        return sha256(canonical({"blocks": list(self.blocks), "text": self.text}))


def card_message(card: Card) -> Rendering:
    """Show `card`, with Approve and Reject only if it is open and all of it is shown whole.

    Where approving needs answers, or a default does not fit, Approve leads to the window of the form.
    """
    facts = fact_blocks(card.facts)
    hidden = {fact.label for fact in card.facts if fact.is_material} & set(facts.left_out)
    can_vote = _is_open(card) and card.can_vote_here and _says_all(card) and not hidden
    can_vote = can_vote and (is_one_press(card) or is_fillable(card.asked))
    blocks = [
        *_top(card),
        *facts.blocks,
        *_hidden(card),
        *asked_blocks(card),
        *change_blocks(card, can_vote=can_vote),
        *_middle(card),
        *_end(card, can_vote=can_vote),
    ]
    return Rendering(
        blocks=tuple(blocks),
        text=cut(prose("fallback", card=card), _FALLBACK_CHARS),
        left_out=(*card.left_out, *facts.left_out),
        can_vote=can_vote,
    )


def details_blocks(card: Card) -> tuple[Block, ...]:
    """`card` to read only, for a modal: the same facts, without a button."""
    facts = fact_blocks(card.facts)
    asked, changes = asked_blocks(card), change_blocks(card, can_vote=False)
    return (
        *_top(card),
        *facts.blocks,
        *_hidden(card),
        *asked,
        *changes,
        *_middle(card),
        _foot(card),
    )


def _is_open(card: Card) -> bool:
    return card.status == "open" and card.ending is None


def _says_all(card: Card) -> bool:
    return len(shown(card.title)) <= limits.SECTION_TEXT and len(shown(card.action)) <= ACTION_CHARS


def _top(card: Card) -> Iterator[Block]:
    title = one_line(card.title)
    yield {
        "type": "header",
        "block_id": "signoff:title",
        "text": plain(title, limits.HEADER),
    }
    if len(title) > limits.HEADER:
        yield _section("whole-title", plain(card.title))
    yield from amount_blocks(card)
    if card.note:
        yield _section("note", mrkdwn(prose("note", note=card.note)))
    if card.ending:
        yield _section("ending", mrkdwn(prose("ending", ending=card.ending)))
    if card.report:
        yield _section(
            "report", mrkdwn(prose("report", is_rehearsal=card.is_rehearsal, **_some(card.report)))
        )
    who = card.requester if card.requester_is_verified else f"claims to be “{card.requester}”"
    asks = {"Asked by": who, "Action": clipped(card.action, ACTION_CHARS), "Risk": card.risk}
    if card.tree:
        asks["Tree"] = clipped(one_line(card.tree), ACTION_CHARS)
    pairs = ((bold(label), plain(value, limits.SECTION_FIELD)) for label, value in asks.items())
    yield {
        "type": "section",
        "block_id": "signoff:asks",
        "fields": [text for pair in pairs for text in pair],
    }


def _hidden(card: Card) -> Iterator[Block]:
    if card.left_out:
        names = one_line(", ".join(card.left_out))
        yield _section("left-out", plain(f"Not shown in Slack: {names}"))


def _middle(card: Card) -> Iterator[Block]:
    if card.undoes and _is_open(card):
        to = card.back_to[:ACTION_CHARS]
        said = {"to": to, "is_rehearsal": card.is_rehearsal, **_some(card.undoes)}
        yield _section("undoes", mrkdwn(prose("undoes", **said)))
    if card.stays and _is_open(card):
        yield _section("stays", mrkdwn(prose("stays", **_some(card.stays))))
    if card.progress and _is_open(card):
        yield _section("progress", mrkdwn(prose("progress", progress=card.progress[:_LINES_MOST])))
    if card.votes:
        lines = [_vote(card, vote) for vote in card.votes[-_LINES_MOST:]]
        more = len(card.votes) - len(lines)
        yield _section("votes", mrkdwn(prose("votes", votes=lines, more=more)))
    if _is_open(card):
        yield _section("deadline", mrkdwn(prose("deadline", card=card)))


def _end(card: Card, *, can_vote: bool) -> Iterator[Block]:
    if _is_open(card) and not can_vote:
        yield _section("review", mrkdwn(prose("review", in_full=card.can_vote_here)))
    if _is_open(card):
        buttons = [
            *(_vote_buttons(card) if can_vote else ()),
            *_open_button(card, can_vote=can_vote),
        ]
        if buttons:
            yield {"type": "actions", "block_id": "signoff:actions", "elements": buttons}
    yield _foot(card)


def _vote_buttons(card: Card) -> Iterator[Block]:
    reference = str(Reference(approval=card.approval, version=card.version, digest=card.digest))
    is_by_press = is_one_press(card)
    amount = amount_on(card)
    label = f"Approve {one_line(amount)}" if amount else "Approve"
    action, label = (APPROVE, label) if is_by_press else (FILL, "Approve…")
    approve = _button(action, label, reference) | {"style": "primary"}
    if card.risk == "high" and is_by_press:
        approve["confirm"] = {
            "title": plain("Approve this? The risk is high.", limits.CONFIRM_TITLE),
            "text": plain(f"{card.action}: {card.title}", limits.CONFIRM_TEXT),
            "confirm": plain("Approve", limits.CONFIRM_BUTTON),
            "deny": plain("Not yet", limits.CONFIRM_BUTTON),
        }
    yield approve
    is_fillable_here = bool(card.asked) and is_fillable(card.asked)
    if is_fillable_here and is_by_press:
        yield _button(FILL, "Fill in…", reference)
    if card.changeable:
        yield _button(CHANGE, _CHANGE_LABELS.get(card.kind, "Change…"), reference)
    yield _button(REJECT, "Reject…", reference) | {"style": "danger"}
    # The window of a form has a place for the comment.
    by_comment = {} if is_fillable_here else {"approve": "Approve with comment…"}
    options = {
        **by_comment,
        "request_changes": "Ask for changes…",
        DETAILS: "Details",
    }
    yield {
        "type": "overflow",
        "action_id": MORE,
        "options": [
            {"text": plain(words, limits.OPTION_TEXT), "value": f"{choice}:{reference}"}
            for choice, words in options.items()
        ],
    }


def _open_button(card: Card, *, can_vote: bool) -> Iterator[Block]:
    if is_link(card.page_url):
        yield link_button(card.page_url, "Open" if can_vote else "Open to review")


def link_button(url: str, label: str) -> Block:
    """A button that opens one of our own pages."""
    return {
        "type": "button",
        "action_id": OPEN,
        "text": plain(label, limits.BUTTON_TEXT),
        "url": url,
    }


def _button(action: str, label: str, reference: str) -> Block:
    return {
        "type": "button",
        "action_id": action,
        "text": plain(label, limits.BUTTON_TEXT),
        "value": reference,
    }


def _foot(card: Card) -> Block:
    words = prose("foot", card=card, digest=short(card.digest))
    return {"type": "context", "block_id": "signoff:foot", "elements": [mrkdwn(words)]}


def _vote(card: Card, vote: VoteLine) -> Mrkdwn:
    comment = clipped(vote.comment, _COMMENT_CHARS) if vote.comment else None
    said = _SAID.get(vote.choice, vote.choice)
    if vote.changes:
        said = f"{said} with {_made_of_it(card, vote)}"
    return prose("vote", vote=vote, said=said, comment=comment)


def _made_of_it(card: Card, vote: VoteLine) -> str:
    if card.kind == "budget":
        granted = vote.changes[0].new
        return clipped(amount_on(card, granted) or granted, _COMMENT_CHARS)
    if card.kind != "form":
        return "changes"
    proposals = card.proposals[:PROPOSALS_MOST] if _is_open(card) else ()
    if vote.changes in (card.decided, *(proposal.changes for proposal in proposals)):
        return "these answers"
    answers = lines(vote.changes, is_form=True).replace("\n", "; ")
    return f"“{clipped(answers, _COMMENT_CHARS)}”"


def _some(lines: tuple[str, ...]) -> dict[str, object]:
    return {"lines": lines[:_LINES_MOST], "more": max(0, len(lines) - _LINES_MOST)}


def _section(name: str, text: TextObject) -> Block:
    return {"type": "section", "block_id": f"signoff:{name}", "text": text}
