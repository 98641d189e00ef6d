"""Votes as rows: every answer is kept, and one per person and version is current."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select

from engine.ids import ApprovalId, PersonId, TenantId
from engine.rules.tally import CastVote, Choice
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add, change, find, find_among
from engine.store.tables import votes


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRow:
    """One answer. A late one never counts; one that is not current was replaced by its person."""

    id: str
    tenant: TenantId
    approval: ApprovalId
    version: int
    sequence: int
    person: PersonId
    choice: Choice
    comment: str | None
    digest: str
    channel: str
    identified_by: str
    is_late: bool
    is_current: bool
    at: datetime
    changes: str | None = None  # canonical JSON; None agrees to what is asked, as it is

    @property
    def cast(self) -> CastVote:
        """What the tally needs of it."""
        return CastVote(
            person=self.person,
            choice=self.choice,
            sequence=self.sequence,
            agrees_to=self.changes or "",
        )

    @property
    def changed(self) -> Mapping[str, object]:
        """The changes of what is asked that it agrees to."""
        changes: Mapping[str, object] = json.loads(self.changes or "{}")
        return changes


_COLUMNS = tuple(column.name for column in votes.columns)


def insert_one(tx: Transaction, row: VoteRow, *, replaces: VoteRow | None = None) -> None:
    """Store the vote; `replaces` is the person's current one of this version, if they had any."""
    if replaces is not None:
        change(tx, votes, {"id": replaces.id}, {"is_current": False})
    add(tx, votes, [{name: getattr(row, name) for name in _COLUMNS}])


_LAST = Prepared(
    select(func.max(votes.c.sequence).label("last")).where(
        votes.c.approval == bindparam("approval")
    )
)


def next_sequence(tx: Transaction, approval: ApprovalId) -> int:
    """The number of the approval's next vote, from 1."""
    last: int | None = _LAST.rows(tx, {"approval": approval})[0].last
    return (last or 0) + 1


def was_late(tx: Transaction, approval: ApprovalId, person: PersonId, choice: Choice) -> bool:
    """Whether this answer of `person` was kept as late before: pressing on fills no tables."""
    where = {"approval": approval, "person": person, "choice": choice, "is_late": True}
    return bool(find(tx, votes, where))


def of(tx: Transaction, approval: ApprovalId) -> list[VoteRow]:
    """Every vote on the approval, in the order they came."""
    rows = find(tx, votes, {"approval": approval}, order_by=("sequence",))
    return [_vote(row) for row in rows]


def current(
    tx: Transaction, approval: ApprovalId, version: int, *, only: PersonId | None = None
) -> list[VoteRow]:
    """The votes that may count for this version, one a person; `only` that one's."""
    where: dict[str, object] = {"approval": approval, "version": version, "is_current": True}
    if only is not None:
        where["person"] = only
    rows = find(tx, votes, where, order_by=("sequence",))
    return [_vote(row) for row in rows]


def current_of_many(
    tx: Transaction, wanted: Sequence[ApprovalId]
) -> dict[ApprovalId, list[VoteRow]]:
    """All votes of several approvals in one query."""
    found: dict[ApprovalId, list[VoteRow]] = {approval: [] for approval in wanted}
    for row in find_among(tx, votes, {}, among={"approval": wanted}, order_by=("sequence",)):
        found[ApprovalId(row.approval)].append(_vote(row))
    return found


def _vote(row: Row[Any]) -> VoteRow:
    return VoteRow(
        id=row.id,
        tenant=TenantId(row.tenant),
        approval=ApprovalId(row.approval),
        version=row.version,
        sequence=row.sequence,
        person=PersonId(row.person),
        choice=Choice(row.choice),
        comment=row.comment,
        digest=row.digest,
        channel=row.channel,
        identified_by=row.identified_by,
        is_late=row.is_late,
        is_current=row.is_current,
        at=row.at,
        changes=row.changes,
    )
