"""What a mail shows of a card: every word made safe and cut to size, and where its buttons lead."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from channels.base import Card, VoteLine
from channels.email import limits
from channels.email.limits import Room
from channels.email.links import Button, buttons, page_link
from channels.email.outcomes import Outcomes, items, made_of_it, outcomes, short
from channels.email.wording import MARKS, one_line, shown
from engine.rules.ballots import moment

_SAID: Final = {
    "approve": "approved",
    "reject": "rejected",
    "request_changes": "asked for changes",
    "abstain": "abstained",
}
_ENDED: Final = {
    "approved": "Approved",
    "rejected": "Rejected",
    "expired": "Expired",
    "changes_requested": "Changes requested",
    "cancelled": "Withdrawn",
}
_WHERE: Final = {"slack": "in Slack", "email": "by email", "web": "on the web"}
_RISKS: Final = {"low": "Low risk", "medium": "Medium risk", "high": "High risk"}
# Enough to know that a value is too long, even if every line break in it is two characters.
_READ: Final = 2 * limits.FACT_CHARS_MAX + 2
_FINGERPRINT: Final = slice(7, 19)  # twelve digits after "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fact as it is shown: its lines, and whether that is all of it."""

    label: str
    lines: tuple[str, ...]
    is_material: bool
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One person's answer: `who said it, where`, and the comment."""

    who: str
    what: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """Everything the templates need; nothing in it is a live link but `buttons` and `page`."""

    tone: str  # open | approved | rejected | over
    badge: str
    preheader: str
    title: str
    asked_by: str
    is_verified: bool
    action: str
    risk: str
    risk_words: str
    ending: str
    ended: str
    note: str
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    left_out_labels: tuple[str, ...]  # the same as the store keeps them, raw
    outcomes: Outcomes
    progress: tuple[str, ...]
    votes: tuple[Said, ...]
    undoes: tuple[str, ...]
    report: tuple[str, ...]
    back_to: str
    tree: str
    stays: tuple[str, ...]
    is_rehearsal: bool
    deadline: str
    buttons: tuple[Button, ...]
    page: Button
    may_vote: bool
    why_no_vote: str
    person: str
    approval: str
    version: int
    fingerprint: str
    has_defanged: bool


def card_view(card: Card) -> CardView:
    """`card` as a mail shows it.

    The title comes first to the room there is, then the material facts, then everything else.
    Where the title or a material fact is not whole, or one is hidden, there is no button to vote.
    """
    room = Room()
    title, has_title = room.fit(one_line(card.title), chars=limits.TITLE_CHARS_MAX)
    action, has_action = room.fit(one_line(card.action), chars=limits.ITEM_CHARS_MAX)
    rows, missing = _rows(card, room)
    is_open = card.status == "open" and card.ending is None
    material = {fact.label for fact in card.facts if fact.is_material}
    is_whole = has_title and has_action and not material & {*missing}
    may_vote = is_open and card.can_vote_here and is_whole and card.respond_url is not None
    ending, _ = room.fit(
        one_line(card.ending.headline if card.ending else ""), chars=limits.ITEM_CHARS_MAX
    )
    note, _ = room.fit(one_line(card.note or ""), chars=limits.ITEM_CHARS_MAX)
    back_to, _ = room.fit(one_line(card.back_to), chars=limits.ITEM_CHARS_MAX)
    asked_by = short(card.requester)
    tree, _ = room.fit(one_line(card.tree), chars=limits.ITEM_CHARS_MAX)
    view = CardView(
        tone=_tone(card, is_open=is_open),
        badge=_badge(card, is_open=is_open),
        preheader=(ending or note or f"{asked_by} asks: {title}")[: limits.PREHEADER_CHARS_MAX],
        title=title, asked_by=asked_by, is_verified=card.requester_is_verified,
        action=action, risk=card.risk if card.risk in _RISKS else "medium",
        risk_words=_RISKS.get(card.risk, ""),
        ending=ending, ended=moment(card.ending.at) if card.ending else "",
        note=note, rows=rows, left_out=items(missing, room), left_out_labels=missing,
        outcomes=outcomes(card, room, is_open=is_open, may_vote=may_vote),
        progress=tuple(_progress(card)) if is_open else (),
        report=items(card.report, room), undoes=items(card.undoes, room) if is_open else (),
        back_to=back_to, tree=tree, stays=items(card.stays, room) if is_open else (),
        is_rehearsal=card.is_rehearsal,
        votes=tuple(_said(vote, card, room) for vote in card.votes[-limits.ITEMS_MAX :]),
        deadline=_deadline(card, room) if is_open else "",
        buttons=buttons(card, is_open=is_open, may_vote=may_vote),
        page=page_link(card, is_open=is_open), may_vote=may_vote,
        why_no_vote=_why_no_vote(card),
        person=short(card.person_name or ""), approval=card.approval, version=card.version,
        fingerprint=card.digest[_FINGERPRINT], has_defanged=False,
    )  # fmt: skip
    return replace(view, has_defanged=any(mark in repr(view) for mark in MARKS))


def notice_lines(text: str) -> tuple[str, ...]:
    """The lines of a notice, as many as fit."""
    fitting, _ = Room().fit(shown(text), chars=limits.FACT_CHARS_MAX, lines=limits.LINES_MAX)
    return tuple(fitting.split("\n"))


def notice_title(text: str) -> str:
    """The title of a notice."""
    return Room().fit(one_line(text), chars=limits.TITLE_CHARS_MAX)[0]


def _rows(card: Card, room: Room) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    in_order = sorted(enumerate(card.facts), key=lambda pair: not pair[1].is_material)
    found: dict[int, Row] = {}
    for position, fact in in_order[: limits.FACTS_MAX]:
        label, _ = room.fit(one_line(fact.label), chars=limits.NAME_CHARS_MAX)
        value, is_whole = room.fit(
            shown(fact.value[:_READ]), chars=limits.FACT_CHARS_MAX, lines=limits.LINES_MAX
        )
        found[position] = Row(
            label=label,
            lines=tuple(value.split("\n")),
            is_material=fact.is_material,
            is_whole=is_whole,
        )
    cut = [
        fact.label for position, fact in enumerate(card.facts) if not _is_shown(found.get(position))
    ]
    missing = tuple(dict.fromkeys([*card.left_out, *cut]))
    return tuple(found[position] for position in sorted(found)), missing


def _is_shown(row: Row | None) -> bool:
    return row is not None and row.is_whole


def _tone(card: Card, *, is_open: bool) -> str:
    if is_open:
        return "open"
    return card.status if card.status in {"approved", "rejected"} else "over"


def _badge(card: Card, *, is_open: bool) -> str:
    if not is_open:
        return _ENDED.get(card.status, "Ended")
    if card.event == "approval.reminded":
        return "Reminder"
    return "Your approval is needed" if card.person is not None else "Approval needed"


def _why_no_vote(card: Card) -> str:
    if card.risk == "high":
        return "The risk is high: this is decided on its page, by people who are signed in."
    if card.person is None:
        return (
            "This mail may have many readers, so it offers no vote. Open it to decide as yourself."
        )
    return (
        "This mail does not show everything that matters, so it offers no vote. Open it to decide."
    )


def _progress(card: Card) -> Iterable[str]:
    for line in card.progress[: limits.ITEMS_MAX]:
        noun = "approval" if line.need == 1 else "approvals"
        words = f"{line.have} of {line.need} {noun}"
        yield f"{short(line.label)}: {words}" if line.label else words


def _deadline(card: Card, room: Room) -> str:
    if card.expires_at is None:
        return "Open until somebody decides."
    ending, _ = room.fit(one_line(card.then or ""), chars=limits.ITEM_CHARS_MAX)
    then = f" Then {ending.rstrip('.')}." if ending else ""
    return f"Open until {moment(card.expires_at)}.{then}"


def _said(vote: VoteLine, card: Card, room: Room) -> Said:
    comment, _ = room.fit(one_line(vote.comment or ""), chars=limits.COMMENT_CHARS_MAX)
    what = _SAID.get(vote.choice, short(vote.choice))
    return Said(
        who=short(vote.name),
        what=f"{what} {_where(vote.channel)}, {moment(vote.at)}{made_of_it(vote, card, room)}",
        comment=comment,
    )


def _where(channel: str) -> str:
    return _WHERE.get(channel) or f"by {short(channel)}"
