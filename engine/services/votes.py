"""The one door: the only way in which a vote gets in, from whatever surface."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.errors import (
    AlreadyDecided,
    EngineError,
    Invalid,
    NotEligible,
    Superseded,
    TooLate,
)
from engine.ids import ApprovalId, PersonId, TenantId
from engine.rules import ballots
from engine.rules.content import COMMENT_CHARS_MAX
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Choice
from engine.store import (
    agreeing,
    approvals,
    audit,
    eligibility,
    endings,
    journal,
    people,
    sealing,
    switches,
    votes,
)
from engine.store.announcements import announce
from engine.store.approvals import ApprovalRow
from engine.store.database import Database, Transaction
from engine.store.journal import NewEntry
from engine.store.votes import VoteRow

# Ended by votes: whoever presses again hears that theirs is recorded.
VOTED = frozenset(
    {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.CHANGES_REQUESTED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One person's answer as a surface heard it. `digest` and `version` are what the person was shown.

    With the digest of an outcome that somebody else proposed, the vote agrees to exactly that one.
    """

    tenant: TenantId
    approval: str
    person: PersonId
    choice: Choice
    comment: str | None = None
    digest: str | None = None
    version: int | None = None
    channel: str
    identified_by: str
    changes: Mapping[str, object] | None = None  # of the fields that approvers may change
    typed: Mapping[str, str] | None = None  # the same as texts, as it stood in inputs
    form: Mapping[str, object] | None = None  # what the form is filled in with


@dataclass(frozen=True, slots=True, kw_only=True)
class CastReceipt:
    """What became of a ballot, in words that can be shown. A `refusal` is on record too."""

    recorded: bool
    counted: bool
    status: ApprovalStatus
    message: str
    refusal: EngineError | None = None

    def raise_refusal(self) -> None:
        """Raise what the person must be told; call it after the commit, so that the record stays."""
        if self.refusal is not None:
            raise self.refusal


async def vote(
    database: Database, ballot: Ballot, *, within: timedelta | None = None
) -> CastReceipt:
    """Cast `ballot` in a transaction of its own and answer once it is durable.

    Raises:
        NotFound, NotEligible, Superseded, AlreadyDecided, TooLate, Invalid: as `cast` refuses.
        NotRecorded: when `within` passed without a confirmation; voting again counts once.
    """
    receipt = await database.of(ballot.tenant).write(lambda tx: cast(tx, ballot), within=within)
    receipt.raise_refusal()
    return receipt


def cast(tx: Transaction, ballot: Ballot) -> CastReceipt:
    """Check, record, tally and, where it is enough, decide: all in this transaction.

    A person has one vote per version and may change it until the decision; the same answer again
    changes nothing and is answered the same. At the deadline's very moment it is too late, whether
    or not the rung has fired. Of votes that arrive together the first to be committed that makes
    the quorum decides; the others are kept as late and told so.

    Raises:
        NotFound: if there is no such approval. Every other refusal is in the receipt.
    """
    row = approvals.get(tx, ballot.tenant, ballot.approval, lock=True)
    is_over = _is_over(tx, row)
    # Of a crowd that presses at once all but a few come too late: they are looked up one by one.
    among = None if is_over else eligibility.electorate(tx, row)
    is_asked = (
        eligibility.is_asked(tx, row, ballot.person)
        if among is None
        else ballot.person in among.pool
    )
    halted = None if is_over else switches.no_vote_above(tx, row.tenant, row.run)
    agreed = _not_eligible(ballot, row, is_asked=is_asked) or halted or _agreed(tx, ballot, row)
    if isinstance(agreed, EngineError):
        return _refuse(tx, ballot, row, agreed)
    own = ballot.person if is_over else None
    cast_before = votes.current(tx, row.id, row.version, only=own)
    earlier = next((vote for vote in cast_before if vote.person == ballot.person), None)
    is_heard = not is_over or row.status in VOTED
    if earlier and is_heard and _is_repeated(tx, earlier, ballot, agreed):
        return _recorded(row.status, ballots.unchanged_message(eligibility.standing(tx, row)))
    if among is None:
        return _late(tx, ballot, row, agreed)
    stored, recorded = _store(tx, ballot, row, agreed, replaces=earlier)
    counted = [vote for vote in cast_before if vote is not earlier]
    standing = eligibility.count(row, [*counted, stored], among)
    words = ballots.changed_message if earlier else ballots.counted_message
    ended = endings.outcome(standing)
    if ended is None:
        journal.append(tx, row.run, [recorded])
        announce(tx, row, "approval.updated")
        tx.hint(f"approval:{row.id}")
        return _recorded(row.status, words(standing))
    status, rule = ended
    is_consent = status is ApprovalStatus.APPROVED
    by = standing.approvals if is_consent else (ballot.person,)
    comment = None if is_consent else stored.comment
    changes = agreeing.read(standing.agrees_to if is_consent else "")
    decision = endings.decision_of(tx, status, rule=rule, by=by, comment=comment, changes=changes)
    endings.end(tx, row, status, decision=decision, recorded_with=[recorded])
    return _recorded(status, words(standing))


def refused(
    tx: Transaction, tenant: TenantId, *, what: str, who: str, why: str, channel: str
) -> None:
    """Put on record that somebody who is nobody here tried to vote."""
    audit.append(
        tx, tenant, "vote.refused", {"what": what, "who": who, "why": why, "channel": channel}
    )


def _not_eligible(ballot: Ballot, row: ApprovalRow, *, is_asked: bool) -> NotEligible | None:
    if ballot.person in row.excluded:
        reason = "you asked for this yourself, and nobody approves their own request"
    elif not is_asked:
        reason = "you are not one of the people who are asked"
    else:
        return None
    return NotEligible(ballots.not_eligible(reason))


def _agreed(tx: Transaction, ballot: Ballot, row: ApprovalRow) -> str | EngineError:
    """The changes that the vote is for, as they are kept: none for what is asked."""
    if ballot.version not in {None, row.version}:
        return Superseded(ballots.superseded())
    try:
        wanted = agreeing.Wanted(
            choice=ballot.choice,
            digest=ballot.digest,
            changes=ballot.changes,
            typed=ballot.typed,
            form=ballot.form,
        )
        changes = agreeing.agreed(tx, row, wanted)
    except (Superseded, Invalid) as refusal:
        return refusal
    return _unfit(ballot, row) or agreeing.written(changes)


def _unfit(ballot: Ballot, row: ApprovalRow) -> EngineError | None:
    rule = row.content.policy.comment
    wanted = rule == "required" or (rule == "on_reject" and ballot.choice is Choice.REJECT)
    wanted = wanted or ballot.choice is Choice.REQUEST_CHANGES
    if wanted and not (ballot.comment or "").strip():
        return Invalid(ballots.comment_required(), code="comment_required")
    if ballot.comment is not None and len(ballot.comment) > COMMENT_CHARS_MAX:
        return Invalid(
            f"A comment has at most {COMMENT_CHARS_MAX} characters.", code="comment_too_long"
        )
    return None


def _is_repeated(tx: Transaction, earlier: VoteRow, ballot: Ballot, agreed: str) -> bool:
    (before,) = sealing.opened_votes(tx, ballot.tenant, [earlier])
    same_comment = ballot.comment is None or ballot.comment == before.comment
    same_outcome = (earlier.changes or "") == agreed
    return earlier.choice is ballot.choice and same_comment and same_outcome


def _is_over(tx: Transaction, row: ApprovalRow) -> bool:
    too_late = row.expires_at is not None and tx.now >= row.expires_at
    return row.status is not ApprovalStatus.OPEN or too_late


def _store(
    tx: Transaction,
    ballot: Ballot,
    row: ApprovalRow,
    agreed: str,
    *,
    replaces: VoteRow | None = None,
    is_late: bool = False,
) -> tuple[VoteRow, NewEntry]:
    name = tx.ids.new("vot")
    comment = sealing.comment(tx, row.tenant, ballot.person, ballot.comment, of=f"votes.{name}")
    stored = VoteRow(
        id=name,
        tenant=row.tenant,
        approval=row.id,
        version=row.version,
        sequence=votes.next_sequence(tx, row.id),
        person=ballot.person,
        choice=ballot.choice,
        comment=comment,
        digest=row.digest,
        channel=ballot.channel,
        identified_by=ballot.identified_by,
        is_late=is_late,
        is_current=not is_late,
        at=tx.now,
        changes=agreed or None,
    )
    votes.insert_one(tx, stored, replaces=replaces)
    said = {**_said(ballot, row), "comment": comment, "sequence": stored.sequence}
    if stored.changes is not None:
        said["changes"] = stored.changed
    return stored, NewEntry(kind="vote.recorded", path=row.path, data=said)


def _late(tx: Transaction, ballot: Ballot, row: ApprovalRow, agreed: str) -> CastReceipt:
    if not votes.was_late(tx, row.id, ballot.person, ballot.choice):
        stored, _entry = _store(tx, ballot, row, agreed, is_late=True)
        audit.append(tx, row.tenant, "vote.late", _said(ballot, row) | {"comment": stored.comment})
    if row.status in {ApprovalStatus.OPEN, ApprovalStatus.EXPIRED}:
        ended_at = row.expires_at or tx.now
        refusal: EngineError = TooLate(ballots.expired(ended_at))
    else:
        deciders = [PersonId(who) for who in (row.decision or {}).get("by", [])]
        named = [person.name for person in people.several(tx, row.tenant, deciders)]
        refusal = AlreadyDecided(
            ballots.already_decided_message(row.status, named, row.ended_at or tx.now)
        )
    return _refusal(row, refusal)


def _refuse(tx: Transaction, ballot: Ballot, row: ApprovalRow, refusal: EngineError) -> CastReceipt:
    of = f"audit.{tx.ids.new('ref')}"
    comment = sealing.comment(tx, row.tenant, ballot.person, ballot.comment, of=of)
    said = {**_said(ballot, row), "comment": comment, "why": refusal.code}
    audit.append(tx, row.tenant, "vote.refused", said)
    return _refusal(row, refusal)


def _refusal(row: ApprovalRow, refusal: EngineError) -> CastReceipt:
    return CastReceipt(
        recorded=False, counted=False, status=row.status, message=str(refusal), refusal=refusal
    )


def _recorded(status: ApprovalStatus, message: str) -> CastReceipt:
    return CastReceipt(recorded=True, counted=True, status=status, message=message)


def _said(ballot: Ballot, row: ApprovalRow) -> dict[str, object]:
    return {
        "approval": ApprovalId(row.id),
        "version": row.version,
        "digest": ballot.digest,
        "person": ballot.person,
        "choice": ballot.choice,
        "comment": ballot.comment,
        "channel": ballot.channel,
        "identified_by": ballot.identified_by,
    }
