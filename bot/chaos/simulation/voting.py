"""Votes in the simulated store: the one door, and what all answers amount to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.chaos.simulation import lines, sending
from bot.chaos.simulation.asking import ADDED, GROUPS, REVIEWERS, end
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.rows import ApprovalRow, VoteRow
from bot.chaos.simulation.switching import stands_above
from engine.ids import PersonId
from engine.rules.ladder import Verb
from engine.rules.states import ApprovalStatus
from engine.rules.tally import CastVote, Choice, Electorate, Outcome, Tally, tally
from engine.store.new_entry import NewEntry


class Answer(StrEnum):
    """What a voter is told."""

    RECORDED = "recorded"
    REPEATED = "recorded already"
    NOT_ELIGIBLE = "not eligible"
    SUPERSEDED = "superseded"
    HALTED = "halted"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A vote on its way: what its person saw when they pressed."""

    approval: str
    version: int
    digest: str
    person: PersonId
    choice: Choice


def electorate(row: ApprovalRow) -> Electorate:
    """Who may vote on it at this moment."""
    adds = any(rung.verb is Verb.WIDEN for rung in row.ladder)
    pool = REVIEWERS | {PersonId(who) for who in row.widened}
    later = frozenset({ADDED}) if adds else frozenset[PersonId]()
    excluded = frozenset(PersonId(who) for who in row.excluded)
    slots = dict(row.quorum.groups)
    groups = {name: members for name, members in GROUPS.items() if name in slots}
    return Electorate(pool=pool, groups=groups, later=later, excluded=excluded)


def counted(row: ApprovalRow, cast: Sequence[VoteRow]) -> Tally:
    """What the current votes of this version amount to."""
    mine = [vote for vote in cast if vote.is_current and vote.version == row.version]
    said = [
        CastVote(person=PersonId(v.person), choice=Choice(v.choice), sequence=v.sequence)
        for v in mine
    ]
    return tally(row.quorum, said, electorate(row))


def cast(memory: Memory, press: Press, *, clock: datetime) -> Answer:
    """The one door, as `engine.services.votes.cast`. `clock` is what the door's own machine believes."""
    row, laws = memory.approvals[press.approval], memory.laws
    now = memory.now if laws.asks_the_databases_clock else clock
    too_late = laws.keeps_deadlines and row.expires_at is not None and now >= row.expires_at
    is_over = row.status is not ApprovalStatus.OPEN or too_late
    among = electorate(row)
    if press.person not in among.pool or press.person in among.excluded:
        return Answer.NOT_ELIGIBLE
    is_shown = (press.digest, press.version) == (row.digest, row.version)
    if laws.counts_this_version and not is_shown:
        return Answer.SUPERSEDED
    if not is_over and stands_above(memory, row.run):
        return Answer.HALTED
    votes = memory.votes[row.id]
    current = [v for v in votes if v.is_current and v.version == row.version]
    earlier = next((v for v in current if v.person == press.person), None)
    is_repeated = earlier is not None and earlier.choice == press.choice
    if is_repeated and (not is_over or row.status in _VOTED):
        return Answer.REPEATED
    new = _vote(memory, row, press, is_late=is_over)
    if is_over:
        memory.votes.put(row.id, (*votes, new))
        return Answer.OVER
    if earlier is not None and laws.replaces_votes:
        votes = tuple(replace(v, is_current=False) if v is earlier else v for v in votes)
    memory.votes.put(row.id, (*votes, new))
    _count(memory, row, new)
    return Answer.RECORDED


_VOTED: Final = frozenset(
    {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.CHANGES_REQUESTED}
)
_ENDS: Final[Mapping[Outcome, tuple[ApprovalStatus, str]]] = {
    Outcome.APPROVED: (ApprovalStatus.APPROVED, "quorum"),
    Outcome.REJECTED: (ApprovalStatus.REJECTED, "reject_quorum"),
    Outcome.CHANGES_REQUESTED: (ApprovalStatus.CHANGES_REQUESTED, "changes_requested"),
    Outcome.IMPOSSIBLE: (ApprovalStatus.REJECTED, "approval_impossible"),
}


def _vote(memory: Memory, row: ApprovalRow, press: Press, *, is_late: bool) -> VoteRow:
    return VoteRow(
        approval=row.id,
        version=row.version,
        digest=press.digest,
        sequence=len(memory.votes[row.id]) + 1,
        person=press.person,
        choice=press.choice,
        at=memory.now,
        is_late=is_late,
        is_current=not is_late,
    )


def _count(memory: Memory, row: ApprovalRow, new: VoteRow) -> None:
    said = {
        "approval": row.id,
        "version": row.version,
        "person": new.person,
        "choice": new.choice,
        "comment": None,
        "sequence": new.sequence,
    }
    recorded = NewEntry(kind="vote.recorded", path=row.path, data=said)
    standing = counted(row, memory.votes[row.id])
    ended = _ENDS.get(standing.outcome)
    if ended is None:
        lines.append(memory, row.run, [recorded])
        sending.enqueue(memory, row, "approval.updated")
        return
    status, rule = ended
    by = standing.approvals if status is ApprovalStatus.APPROVED else (new.person,)
    end(memory, row, status, {"outcome": str(status), "rule": rule, "by": list(by)}, [recorded])
