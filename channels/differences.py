"""What approvers may change and would change, in texts that one channel may show."""

from collections.abc import Sequence

from channels.base import Change, Changeable, Proposal
from channels.saying import text_of
from engine.rules.modifying import Difference, differences
from engine.rules.values import kind_of
from engine.store.pictures import ApprovalPicture
from engine.store.votes import VoteRow

HIDDEN = "(not shown here)"


def changeable(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[Changeable, ...]:
    """The fields that may be changed, and shown, in their order."""
    content = picture.modifying.content
    return tuple(
        Changeable(
            label=name,
            value=text_of(content.details[name]),
            kind=kind_of(content.details[name]) or "text",
        )
        for name in content.fields
        if name not in left_out
    )


def proposals(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[Proposal, ...]:
    """The changes that people agree to so far, the ones ahead first; what was asked is none of them.

    Where one of the fields may not be shown, nobody can agree to them here.
    """
    return tuple(
        Proposal(
            digest=outcome.digest,
            changes=_changes(outcome.differences, left_out),
            names=tuple(picture.names.get(who, who) for who in outcome.by),
            have=outcome.have,
            need=outcome.need,
            can_agree_here=not any(each.field in left_out for each in outcome.differences),
        )
        for outcome in picture.modifying.outcomes
        if outcome.changes
    )


def decided(picture: ApprovalPicture, left_out: Sequence[str]) -> tuple[Change, ...]:
    """What was decided to be otherwise than it was asked."""
    return _changes(picture.modifying.differences, left_out)


def of_vote(picture: ApprovalPicture, vote: VoteRow, left_out: Sequence[str]) -> tuple[Change, ...]:
    """What one vote on the present version would change."""
    return _changes(differences(picture.modifying.content, vote.changed), left_out)


def _changes(found: Sequence[Difference], left_out: Sequence[str]) -> tuple[Change, ...]:
    return tuple(
        Change(label=each.field, old=HIDDEN, new=HIDDEN)
        if each.field in left_out
        else Change(label=each.field, old=text_of(each.old), new=text_of(each.new))
        for each in found
    )
