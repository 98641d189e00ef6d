"""Changing what is asked while it is open: another version, more time, or taking it back."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from engine.clock import iso
from engine.errors import AlreadyDecided, Conflict, EngineError, NotAllowed, Superseded, TooLate
from engine.ids import PersonId, TenantId
from engine.rules import ballots
from engine.rules.durations import parse_duration, say_duration
from engine.rules.ladder import expires_at, extended, ladder_to_json
from engine.rules.states import ApprovalStatus
from engine.store import (
    announcements,
    approvals,
    drawing,
    eligibility,
    endings,
    journal,
    people,
    requests,
    runs,
    timers,
    undoing,
)
from engine.store.approvals import ApprovalChanges, ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry
from engine.store.keys import Caller, Scope
from engine.store.pictures import ApprovalPicture
from engine.store.requests import ASK, Edit

__all__ = ["Edit", "cancel", "edit", "extend"]

VERSIONS_MAX: Final = 100  # of one approval: each is posted to everybody who is asked


def edit(
    tx: Transaction, caller: Caller, approval: str, wanted: Edit, *, seen: int | None = None
) -> ApprovalPicture:
    """Ask something else: the next version, on which nobody has voted yet.

    Votes of earlier versions no longer count, and links to them no longer decide. Whoever edits
    never counts on it from then on, nor does the owner of their key. The ladder goes on as it was.
    An edit that changes nothing makes no version. `seen` is the version that the caller looked at,
    if it matters. What a workflow asks is edited by operators alone: whoever started it must not
    choose who decides, nor what they read.

    Raises:
        NotFound: if there is no such approval. NotAllowed: unless the caller asked, answers for
            the key that did, or operates. AlreadyDecided, TooLate: if it is over. Superseded: if
            `seen` is not its version. Invalid: if what is wanted could never be decided.
            Conflict: `too_many_versions`, if it has a hundred already.
    """
    row = _open(tx, caller.tenant, approval, _wrote_or_operates(caller))
    if seen not in {None, row.version}:
        raise Superseded(ballots.superseded())
    # Whoever wrote what is asked now has asked for it, and so has whoever answers for their key or made it.
    after = requests.edited(tx, row, wanted, authors=caller.behind)
    if after.version == row.version:
        return drawing.picture(tx, row.tenant, row.id)
    if row.version >= VERSIONS_MAX:
        raise Conflict(
            f"It was edited {VERSIONS_MAX} times, and everybody is told of each. Take it back and ask "
            "anew.",
            code="too_many_versions",
        )
    if not approvals.replace_open(tx, after, before=row.version):
        raise Superseded(ballots.superseded())
    approvals.insert_version(tx, after, edited_by=caller.subject)
    said = {"content": after.content.to_json(), "digest": after.digest}
    _record(tx, after, caller, kind="approval.edited", data=said)
    announcements.renew_links(tx, after)
    announcements.announce(tx, after, "approval.edited")
    announcements.post(tx, after, lambda: eligibility.electorate(tx, after).pool - after.excluded)
    return drawing.picture(tx, after.tenant, after.id)


def extend(
    tx: Transaction, caller: Caller, approval: str, *, by: str, reason: str
) -> ApprovalPicture:
    """Give people more time: every rung that has not fired comes later by `by`, such as `2h`.

    Asking again extends again. The version stays, and so do the votes.

    Raises:
        NotFound: if there is no such approval. NotAllowed: unless the caller may vote on it, or
            operates. AlreadyDecided, TooLate: if it is over. Invalid: `bad_duration`.
    """
    row = _open(tx, caller.tenant, approval, _votes_or_operates(caller))
    fired = timers.fired_count(tx, row.id)
    ladder = extended(row.ladder, parse_duration(by), fired=fired)
    until = expires_at(row.opened_at, ladder)
    changes = ApprovalChanges(ladder=json.dumps(ladder_to_json(ladder)), expires_at=until)
    if not approvals.change_open(tx, row.id, row.version, changes):
        raise Superseded(ballots.superseded())
    timers.cancel(tx, [row.id])
    timers.arm(tx, row.tenant, row.id, start=row.opened_at, ladder=ladder, first=fired)
    said = {
        "extended_by": say_duration(parse_duration(by)),
        "reason": reason,
        "expires_at": None if until is None else iso(until),
    }
    _record(tx, row, caller, kind="approval.extended", data=said)
    announcements.announce(tx, row, "approval.updated")
    return drawing.picture(tx, row.tenant, row.id)


def cancel(tx: Transaction, caller: Caller, approval: str, *, reason: str) -> ApprovalPicture:
    """Take the request back: its run is told `cancelled`, and every message is closed.

    What is asked while a run is rolled back is taken back by operators alone: without consent its
    steps would stay done.

    Raises:
        NotFound: if there is no such approval. NotAllowed: unless the caller asked, answers for
            the key that did, or operates. AlreadyDecided, TooLate: if it is over.
    """
    row = _open(tx, caller.tenant, approval, _withdraws_or_operates(caller))
    decision = endings.decision_of(
        tx,
        "cancelled",
        rule="withdrawn",
        by=[caller.person or caller.subject],
        comment=reason,
    )
    endings.end(tx, row, ApprovalStatus.CANCELLED, decision=decision)
    return drawing.picture(tx, row.tenant, row.id)


def _wrote_or_operates(caller: Caller) -> "_May":
    """Whoever asked, where that was a request of their own; a workflow's is its author's."""
    asked = _asked_or_operates(caller)

    def may(tx: Transaction, row: ApprovalRow) -> bool:
        is_own = runs.get(tx, row.tenant, row.run).workflow == ASK
        return Scope.OPERATE in caller.scopes or (is_own and asked(tx, row))

    return may


def _withdraws_or_operates(caller: Caller) -> "_May":
    """Whoever asked, unless it is asked to undo what they had done."""
    asked = _asked_or_operates(caller)

    def may(tx: Transaction, row: ApprovalRow) -> bool:
        if Scope.OPERATE in caller.scopes:
            return True
        return asked(tx, row) and not undoing.is_under_way(journal.entries(tx, row.run))

    return may


def _asked_or_operates(caller: Caller) -> "_May":
    def may(tx: Transaction, row: ApprovalRow) -> bool:
        run = runs.get(tx, row.tenant, row.run)
        asked = caller.subject in {run.started_by, row.requester}
        answers_for_it = caller.person is not None and caller.person == run.owner
        return Scope.OPERATE in caller.scopes or asked or answers_for_it

    return may


def _votes_or_operates(caller: Caller) -> "_May":
    def may(tx: Transaction, row: ApprovalRow) -> bool:
        if Scope.OPERATE in caller.scopes:
            return True
        return caller.person in eligibility.electorate(tx, row).pool - row.excluded

    return may


_May = Callable[[Transaction, ApprovalRow], bool]


def _open(tx: Transaction, tenant: TenantId, approval: str, may: _May) -> ApprovalRow:
    row = approvals.get(tx, tenant, approval, lock=True)
    if not may(tx, row):
        raise NotAllowed(
            "This is for whoever asked, and for operators; more time also for approvers.",
            code="not_yours",
        )
    refusal = _over(tx, row)
    if refusal is not None:
        raise refusal
    return row


def _over(tx: Transaction, row: ApprovalRow) -> EngineError | None:
    if row.status is ApprovalStatus.EXPIRED:
        return TooLate(ballots.expired(row.ended_at or tx.now))
    if row.status is not ApprovalStatus.OPEN:
        deciders = [PersonId(who) for who in (row.decision or {}).get("by", [])]
        named = [person.name for person in people.several(tx, row.tenant, deciders)]
        ended_at = row.ended_at or tx.now
        return AlreadyDecided(ballots.already_decided_message(row.status, named, ended_at))
    if row.expires_at is not None and tx.now >= row.expires_at:
        return TooLate(ballots.expired(row.expires_at))
    return None


def _record(
    tx: Transaction, row: ApprovalRow, caller: Caller, *, kind: str, data: Mapping[str, object]
) -> None:
    said = {"approval": row.id, "version": row.version, "by": caller.subject, **data}
    journal.append(tx, row.run, [NewEntry(kind=kind, path=row.path, data=said)])
    tx.hint(f"approval:{row.id}")
    tx.hint("approvals")
