"""Draws approvals as people see them, many in a few questions to the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from engine.ids import ApprovalId, PersonId, RunId, TenantId
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Electorate, Tally
from engine.store import (
    approvals,
    eligibility,
    family,
    journaled,
    messages,
    rollbacks,
    runs,
    sealing,
    subjects,
    timers,
    undoing,
    votes,
)
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.eligibility import Electorates
from engine.store.family import Place
from engine.store.journal import Entry
from engine.store.messages import MessageRow
from engine.store.outcomes import modifying
from engine.store.pictures import ApprovalPicture, MessagePicture
from engine.store.undoing import Plan
from engine.store.votes import VoteRow

Messages: TypeAlias = Mapping[ApprovalId, Sequence[MessageRow]]

PARENT: Final = "child.started"
WENT_BACK: Final = "rollback.started"


def picture(tx: Transaction, tenant: TenantId, approval: str) -> ApprovalPicture:
    """The approval as it stands.

    Raises:
        NotFound: if this tenant has no such approval.
    """
    return pictures(tx, [approvals.get(tx, tenant, approval)])[0]


def pictures(tx: Transaction, rows: Sequence[ApprovalRow]) -> list[ApprovalPicture]:
    """The pictures of several approvals of one tenant, in their order, with what people wrote."""
    return [_opened(tx, each) for each in sealed_pictures(tx, rows)]


def sealed_pictures(
    tx: Transaction, rows: Sequence[ApprovalRow], shown: Messages | None = None
) -> list[ApprovalPicture]:
    """The same to be kept: what people wrote stays sealed. `shown` are their messages, if they are known."""
    cast = votes.current_of_many(tx, [row.id for row in rows])
    shown = messages.of_each(tx, [row.id for row in rows]) if shown is None else shown
    past = _pasts(tx, rows)
    electorates, counting = Electorates(tx), _Counting()
    among = [electorates.of(row) for row in rows]
    wanted = [
        _spoken_of(row, each.pool, cast[row.id]) for row, each in zip(rows, among, strict=True)
    ]
    names = subjects.names_of(tx, rows[0].tenant, set[str]().union(*wanted)) if rows else {}
    return [
        _picture(
            tx,
            row,
            past[row.run],
            shown[row.id],
            _Voting(cast[row.id], counting.of(row, cast[row.id], each)),
            {name: names[name] for name in spoken_of if name in names},
        )
        for row, each, spoken_of in zip(rows, among, wanted, strict=True)
    ]


def _opened(tx: Transaction, kept: ApprovalPicture) -> ApprovalPicture:
    return replace(
        kept,
        votes=tuple(sealing.opened_votes(tx, kept.tenant, kept.votes)),
        decision=sealing.opened(tx, kept.tenant, kept.decision),
        report=tuple(sealing.opened(tx, kept.tenant, kept.report)),
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """What a run's rows say for the pictures of its approvals; `entries` only where they are shown."""

    known: frozenset[str]
    place: Place | None
    entries: Sequence[Entry]


def _pasts(tx: Transaction, rows: Sequence[ApprovalRow]) -> dict[RunId, _Past]:
    of = list(dict.fromkeys(row.run for row in rows))
    origins = runs.origins(tx, of)
    kinds = journaled.kinds_of(tx, of, (PARENT, WENT_BACK))
    # Only of a rejection that may undo something, and of what was undone, a picture says more.
    undoes = {row.run for row in rows if row.status is ApprovalStatus.OPEN and _may_undo(row)}
    read = [run for run in of if run in undoes or (run, WENT_BACK) in kinds]
    journals = journaled.entries_of(tx, read)
    related = [run for run, origin in origins.items() if origin.is_child or (run, PARENT) in kinds]
    places = family.place_of_each(tx, related)
    nowhere = runs.Origin(frozenset(), is_child=False)
    return {
        run: _Past(origins.get(run, nowhere).known, places.get(run), journals.get(run, ()))
        for run in of
    }


class _Counting:
    """Counts votes; where nobody voted on many that ask the same people, it is the same for all."""

    __slots__ = ("_silent",)

    def __init__(self) -> None:
        self._silent: dict[tuple[object, ...], Tally] = {}

    def of(self, row: ApprovalRow, cast: Sequence[VoteRow], among: Electorate) -> Tally:
        if cast or among.groups:
            return eligibility.count(row, cast, among)
        key = (row.content.policy.quorum, among.pool, among.later, among.excluded)
        found = self._silent.get(key)
        if found is None:
            found = self._silent[key] = eligibility.count(row, cast, among)
        return found


@dataclass(frozen=True, slots=True)
class _Voting:
    cast: Sequence[VoteRow]
    tally: Tally


def _picture(
    tx: Transaction,
    row: ApprovalRow,
    past: _Past,
    shown: Sequence[MessageRow],
    voting: _Voting,
    names: Mapping[str, str],
) -> ApprovalPicture:
    requester = eligibility.requesting_person(row.requester) or row.requester
    is_open = row.status is ApprovalStatus.OPEN
    fired = timers.fired_count(tx, row.id) if is_open else len(row.ladder)
    content = row.content
    return ApprovalPicture(
        id=row.id,
        tenant=row.tenant,
        run=row.run,
        status=row.status,
        version=row.version,
        digest=row.digest,
        action=content.action,
        title=content.title,
        call=content.call,
        details=content.details,
        risk=content.policy.risk,
        comment_rule=content.policy.comment,
        requester=row.requester,
        requester_name=names.get(requester, requester),
        requester_is_verified=row.requester in past.known,
        approvers=tuple(str(approver) for approver in content.approvers),
        tally=voting.tally,
        votes=tuple(voting.cast),
        decision=row.decision,
        messages=tuple(
            MessagePicture(channel=message.channel, target=message.address, state=message.state)
            for message in shown
        ),
        next_rung=row.ladder[fired] if fired < len(row.ladder) else None,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        consumed_at=row.consumed_at,
        plan=_plan(row, past.entries) if is_open else None,
        on_reject=row.on_reject,
        report=rollbacks.lines(past.entries),
        names=names,
        modifying=modifying(content, voting.tally, row.decision),
        place=past.place,
    )


def _plan(row: ApprovalRow, entries: Sequence[Entry]) -> Plan | None:
    if not _may_undo(row):
        return None
    opened = [
        entry
        for entry in entries
        if entry.kind == "approval.opened" and entry.data["approval"] == row.id
    ]
    if not opened:
        return None
    return undoing.whole_plan(entries, to=opened[-1].data.get("rollback_to"))


def _may_undo(row: ApprovalRow) -> bool:
    return row.on_reject != "fail"


def _spoken_of(row: ApprovalRow, pool: Iterable[PersonId], cast: Sequence[VoteRow]) -> set[str]:
    requester = eligibility.requesting_person(row.requester)
    deciders: Sequence[str] = (row.decision or {}).get("by", ())
    return {*pool, *(vote.person for vote in cast), *deciders, requester or row.requester}
