"""What the votes amount to: one pure function that every surface shows and decides by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.ids import PersonId
from engine.rules.matching import fill
from engine.rules.quorum import Quorum


class Choice(StrEnum):
    """What one person answers."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    ABSTAIN = "abstain"


class Outcome(StrEnum):
    """What all answers together amount to."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote:
    """One person's answer; one with a higher sequence replaces it.

    `agrees_to` is the exact outcome that an approval is for; empty is what was asked, unchanged.
    """

    person: PersonId
    choice: Choice
    sequence: int
    agrees_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Electorate:
    """Who may vote.

    `pool` may vote now; nobody outside it counts, not even members of a group. `groups` are the
    members of each slot; people of the pool in no group were added by a rung and fill any slot.
    `later` are people whom a rung may still add. `excluded` never count, wherever they appear.
    """

    pool: frozenset[PersonId]
    groups: Mapping[str, frozenset[PersonId]]
    later: frozenset[PersonId]
    excluded: frozenset[PersonId]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProgress:
    """How far one group's slot is filled."""

    name: str
    have: int
    need: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one exact outcome has come, and who agrees to it."""

    agrees_to: str
    approvals: tuple[PersonId, ...]
    groups: tuple[GroupProgress, ...]
    have: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the votes amount to, and how far they are from a decision; people sorted by name.

    `approvals` and `rejections` are everybody who counts; with groups, `have` may be smaller than
    the number of approvals, because one person fills one place and full groups take no more.
    Approvals of different outcomes do not add up: all figures are those of the one that is ahead,
    which is `agrees_to`, and `standings` has each that anybody agrees to, the one ahead first.
    """

    outcome: Outcome
    approvals: tuple[PersonId, ...]
    rejections: tuple[PersonId, ...]
    groups: tuple[GroupProgress, ...]
    have: int
    need: int
    reject_have: int
    reject_need: int
    can_still: tuple[PersonId, ...]
    agrees_to: str = ""
    standings: tuple[Standing, ...] = ()


def tally(quorum: Quorum, votes: Iterable[CastVote], electorate: Electorate) -> Tally:
    """Count the latest vote of every eligible person, whatever order the votes arrive in.

    Rejection wins when both are reached at once; one request for changes ends it
    unless it is rejected. Of two votes with one sequence the more cautious counts. It is impossible
    when the quorum stays out of reach even if all who have not voted, and all whom a rung may
    add, approved; nobody is expected to change a vote, except that whoever approves one outcome
    may still come to agree to another. Ahead is what more people agree to; as asked, if as many
    do, and else the first by name. `can_still` is empty once it is over.
    """
    eligible = electorate.pool - electorate.excluded
    last = _latest(votes)
    latest = {who: vote.choice for who, vote in last.items()}
    chosen = {choice: {who for who in eligible if latest.get(who) is choice} for choice in Choice}
    rejections = chosen[Choice.REJECT]
    standings = _standings(quorum, [last[who] for who in chosen[Choice.APPROVE]], electorate)
    ahead = standings[0]
    have, groups, approvals = ahead.have, ahead.groups, set(ahead.approvals)

    if len(rejections) >= quorum.reject:
        outcome = Outcome.REJECTED
    elif chosen[Choice.REQUEST_CHANGES]:
        outcome = Outcome.CHANGES_REQUESTED
    elif have >= quorum.places:
        outcome = Outcome.APPROVED
    elif not _is_reachable(quorum, latest, electorate):
        outcome = Outcome.IMPOSSIBLE
    else:
        outcome = Outcome.OPEN
    return Tally(
        outcome=outcome,
        approvals=tuple(sorted(approvals)),
        rejections=tuple(sorted(rejections)),
        groups=groups,
        have=have,
        need=quorum.places,
        reject_have=len(rejections),
        reject_need=quorum.reject,
        can_still=tuple(sorted(eligible - approvals)) if outcome is Outcome.OPEN else (),
        agrees_to=ahead.agrees_to,
        standings=tuple(standing for standing in standings if standing.approvals),
    )


_CAUTION = (Choice.ABSTAIN, Choice.APPROVE, Choice.REQUEST_CHANGES, Choice.REJECT)


def _latest(votes: Iterable[CastVote]) -> dict[PersonId, CastVote]:
    in_order = sorted(
        votes, key=lambda vote: (vote.sequence, _CAUTION.index(vote.choice), vote.agrees_to)
    )
    return {vote.person: vote for vote in in_order}


def _standings(
    quorum: Quorum, approving: Iterable[CastVote], electorate: Electorate
) -> list[Standing]:
    """One for each outcome, the one ahead first; where nobody approves, that of what was asked."""
    agreeing: dict[str, set[PersonId]] = {}
    for vote in approving:
        agreeing.setdefault(vote.agrees_to, set()).add(vote.person)
    found = [
        _standing(quorum, key, agreeing.get(key, set()), electorate) for key in agreeing or ("",)
    ]
    return sorted(found, key=lambda each: (-each.have, -len(each.approvals), each.agrees_to))


def _standing(
    quorum: Quorum, agrees_to: str, people: set[PersonId], electorate: Electorate
) -> Standing:
    groups = _progress(quorum, people, electorate)
    return Standing(
        agrees_to=agrees_to,
        approvals=tuple(sorted(people)),
        groups=groups,
        have=len(people) if quorum.need is not None else sum(group.have for group in groups),
    )


def _is_reachable(
    quorum: Quorum, latest: Mapping[PersonId, Choice], electorate: Electorate
) -> bool:
    everybody = (electorate.pool | electorate.later) - electorate.excluded
    willing = {who for who in everybody if latest.get(who, Choice.APPROVE) is Choice.APPROVE}
    if quorum.need is not None:
        return len(willing) >= quorum.need
    filled = _progress(quorum, willing, electorate)
    return all(group.have >= group.need for group in filled)


def _progress(
    quorum: Quorum, people: Iterable[PersonId], electorate: Electorate
) -> tuple[GroupProgress, ...]:
    slots = dict(quorum.groups)
    filled = fill(slots, {person: _slots_of(person, slots, electorate) for person in people})
    return tuple(
        GroupProgress(name=name, have=len(filled[name]), need=need)
        for name, need in sorted(slots.items())
    )


def _slots_of(person: PersonId, slots: Iterable[str], electorate: Electorate) -> list[str]:
    own = [name for name, members in electorate.groups.items() if person in members]
    return own or list(slots)
