"""Who may vote on an approval at this moment, and what the votes amount to."""

from collections.abc import Iterable, Sequence

from engine.ids import PersonId
from engine.rules.approvers import Approver, ApproverKind
from engine.rules.tally import Electorate, Tally, tally
from engine.store import electorates, timers, votes
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.votes import VoteRow


def requesting_person(requester: str) -> PersonId | None:
    """The person behind a requester written `person:ana`; None for an agent or a workflow."""
    prefix, _, name = requester.partition(":")
    return PersonId(name) if prefix == "person" else None


def electorate(tx: Transaction, row: ApprovalRow) -> Electorate:
    """Who belongs now: the expressions were frozen when it opened, their members are judged live."""
    requester = requesting_person(row.requester)

    def people(approvers: Sequence[Approver]) -> frozenset[PersonId]:
        if not approvers:
            return frozenset()
        return electorates.resolve(tx, row.tenant, approvers, requester=requester, strict=False)

    groups = {
        name: people((Approver(kind=ApproverKind.GROUP, value=name),))
        for name, _need in row.content.policy.quorum.groups
    }
    added_later = [approver for rung in row.ladder for approver in rung.to]
    later: frozenset[PersonId] = frozenset()
    if added_later:
        fired = timers.fired_count(tx, row.id)
        later = people([approver for rung in row.ladder[fired:] for approver in rung.to])
    return Electorate(
        pool=people((*row.content.approvers, *row.widened)),
        groups=groups,
        later=later,
        excluded=row.excluded,
    )


def is_asked(tx: Transaction, row: ApprovalRow, person: PersonId) -> bool:
    """Whether `person` is in the pool of `electorate`, found out from what is known of this person alone."""
    asked = (*row.content.approvers, *row.widened)
    requester = requesting_person(row.requester)
    return electorates.includes(tx, row.tenant, asked, person, requester=requester)


def open_to(tx: Transaction, rows: Iterable[ApprovalRow], person: PersonId) -> list[ApprovalRow]:
    """Those of `rows`, all of one tenant, that `person` may decide now, in their order.

    Many approvals ask the same people: who they are is looked up once.
    """
    pools: dict[tuple[object, ...], frozenset[PersonId]] = {}

    def pool(row: ApprovalRow) -> frozenset[PersonId]:
        asked = (*row.content.approvers, *row.widened)
        of_somebody = any(each.kind is ApproverKind.MANAGER_OF for each in asked)
        key = (*asked, row.requester if of_somebody else None)
        if key not in pools:
            pools[key] = electorate(tx, row).pool
        return pools[key]

    return [row for row in rows if person not in row.excluded and person in pool(row)]


def standing(tx: Transaction, row: ApprovalRow) -> Tally:
    """What the votes on this version amount to now."""
    return count(row, votes.current(tx, row.id, row.version), electorate(tx, row))


def count(row: ApprovalRow, cast: Iterable[VoteRow], among: Electorate) -> Tally:
    """What the current ones of the votes `cast` on this version amount to among `among`."""
    current = [vote.cast for vote in cast if vote.is_current and vote.version == row.version]
    return tally(row.content.policy.quorum, current, among)
