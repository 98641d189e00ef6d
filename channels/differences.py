"""What approvers may change or fill in, and what they would, in texts that one channel may show."""

from collections.abc import Sequence

from channels.asking import amount_of, answer_text
from channels.base import Change, Changeable, Proposal
from channels.saying import text_of
from engine.rules.content import Content
from engine.rules.forms import Field
from engine.rules.marking import AMOUNT
from engine.rules.modifying import Changes, answered, differences
from engine.rules.tally import Choice
from engine.rules.values import kind_of
from engine.store.pictures import ApprovalPicture
from engine.store.votes import VoteRow

HIDDEN = "(not shown here)"


def changeable(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[Changeable, ...]:
    """The details that may be changed, and shown, in their order; a form asks instead."""
    content = picture.modifying.content
    if content.form is not None:
        return ()
    return tuple(
        Changeable(
            label=name,
            value=text_of(content.details[name]),
            kind=kind_of(content.details[name]) or "text",
        )
        for name in content.fields
        if name not in left_out
    )


def asked(picture: ApprovalPicture) -> tuple[Field, ...]:
    """What a form asks for, in its order."""
    return tuple(picture.modifying.content.asked.values())


def proposals(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[Proposal, ...]:
    """The changes that people agree to so far, the ones ahead first; what was asked is none of them.

    Where one of the fields may not be shown, nobody can agree to them here.
    """
    content = picture.modifying.content
    return tuple(
        Proposal(
            digest=outcome.digest,
            changes=_changes(content, outcome.changes, left_out),
            names=tuple(picture.names.get(who, who) for who in outcome.by),
            have=outcome.have,
            need=outcome.need,
            can_agree_here=not _is_hidden(content, outcome.changes, left_out),
        )
        for outcome in picture.modifying.outcomes
        if outcome.changes
    )


def decided(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[Change, ...]:
    """What was decided to be otherwise than it was asked, and all that a form was filled in with."""
    modifying = picture.modifying
    if modifying.decided is None:
        return ()
    return _changes(modifying.content, modifying.decided, left_out)


def made_of_it(picture: ApprovalPicture, left_out: Sequence[str]) -> str:
    """What approvers made of it, in a word, of what may be shown; a form's answers stand below."""
    content, changes = picture.modifying.content, picture.modifying.decided
    if not changes or content.form is not None:
        return ""
    if not content.is_budget or AMOUNT in left_out:
        return " with changes"
    shown = {name: content.details[name] for name in content.details if name not in left_out}
    return f" for {amount_of({**shown, **changes})}"


def of_vote(picture: ApprovalPicture, vote: VoteRow, left_out: Sequence[str]) -> tuple[Change, ...]:
    """What one vote on the present version would change, or fills in."""
    if vote.choice is not Choice.APPROVE:
        return ()
    return _changes(picture.modifying.content, vote.changed, left_out)


def _is_hidden(content: Content, changes: Changes, left_out: Sequence[str]) -> bool:
    # What people fill in is none of the details that an operator may hide.
    return content.form is None and any(name in left_out for name in changes)


def _changes(content: Content, changes: Changes, left_out: Sequence[str]) -> tuple[Change, ...]:
    if content.form is not None:
        filled = answered(content, changes)
        return tuple(
            Change(label=each.label, old="", new=answer_text(each, filled[name]))
            for name, each in content.asked.items()
            if name in filled
        )
    return tuple(
        Change(label=each.field, old=HIDDEN, new=HIDDEN)
        if each.field in left_out
        else Change(label=each.field, old=text_of(each.old), new=text_of(each.new))
        for each in differences(content, changes)
    )
