"""A crowd that votes on PostgreSQL, and what must be true of what it left behind."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from engine.clock import iso
from engine.digest import canonical, sha256
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId
from engine.rules.tally import Choice
from engine.services import approvals, configuration
from engine.services.approvals import Request
from engine.services.configuration import Directory, ListedPerson
from engine.services.votes import Ballot
from engine.store.database import Database, Transaction
from engine.store.tables import audit, journal, votes

HOUR: Final = "reject after 1h"


def people(number: int) -> list[PersonId]:
    """Who belongs to a crowd of `number`."""
    return [PersonId(f"p{index:04}") for index in range(number)]


async def given_crowd(database: Database, number: int) -> list[PersonId]:
    """Make everybody known, in one group."""
    everybody = people(number)
    listed = Directory(
        people=tuple(ListedPerson(id=person, name=f"Person {person}") for person in everybody),
        groups={"crowd": frozenset(everybody)},
    )
    await database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, listed))
    return everybody


async def asked(database: Database, *, quorum: int) -> ApprovalId:
    """Ask the crowd."""
    request = Request(
        title="Go?", action="go", approvers="group:crowd", quorum=quorum, ladder=[HOUR], routes={}
    )

    def deed(tx: Transaction) -> ApprovalId:
        return approvals.ask(tx, DEFAULT_TENANT, request, started_by="local", owner=None).id

    return await database.write(deed)


def ballot(approval: ApprovalId, person: PersonId) -> Ballot:
    """A yes."""
    return Ballot(
        tenant=DEFAULT_TENANT, approval=approval, person=person, choice=Choice.APPROVE,
        channel="web", identified_by="session",
    )  # fmt: skip


def kept_votes(tx: Transaction) -> set[tuple[str, str]]:
    """Every vote on record that counted when it came."""
    rows = tx.connection.execute(select(votes).where(~votes.c.is_late))
    return {(row.approval, row.person) for row in rows}


def sequences(tx: Transaction) -> dict[str, list[int]]:
    """The numbers of each approval's votes."""
    found: dict[str, list[int]] = {}
    for row in tx.connection.execute(select(votes).order_by(votes.c.sequence)):
        found.setdefault(row.approval, []).append(row.sequence)
    return found


def decisions(tx: Transaction) -> int:
    """How often anything was decided."""
    kind = journal.c.kind == "approval.decided"
    return len(tx.connection.execute(select(journal.c.run).where(kind)).all())


def broken_links(tx: Transaction) -> Sequence[int]:
    """The positions at which the audit chain is not what it must be."""
    previous, wrong = "", list[int]()
    rows = tx.connection.execute(select(audit).order_by(audit.c.position))
    for position, row in enumerate(rows):
        body = {
            "tenant": row.tenant,
            "position": position,
            "kind": row.kind,
            "data": json.loads(row.data),
            "at": iso(row.at),
            "previous": previous,
        }
        if row.position != position or row.hash != sha256(canonical(body)):
            wrong.append(position)
        previous = row.hash
    return wrong
