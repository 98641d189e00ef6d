"""Who may vote on an approval at this moment, and what the votes amount to."""

from collections.abc import Iterable

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
    return Electorates(tx).of(row)


class Electorates:
    """The electorates of many approvals: many ask the same people, and who they are is looked up once."""

    __slots__ = ("_known", "_tx")

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[tuple[object, ...], frozenset[PersonId]] = {}

    def of(self, row: ApprovalRow) -> Electorate:
        """Who belongs to `row`, as `electorate` has it."""
        groups = {
            name: self._people(row, (Approver(kind=ApproverKind.GROUP, value=name),))
            for name, _need in row.content.policy.quorum.groups
        }
        later: frozenset[PersonId] = frozenset()
        if any(rung.to for rung in row.ladder):
            to_come = row.ladder[timers.fired_count(self._tx, row.id) :]
            later = self._people(row, tuple(each for rung in to_come for each in rung.to))
        return Electorate(pool=self.pool(row), groups=groups, later=later, excluded=row.excluded)

    def pool(self, row: ApprovalRow) -> frozenset[PersonId]:
        """Whom `row` asks."""
        return self._people(row, (*row.content.approvers, *row.widened))

    def _people(self, row: ApprovalRow, asked: tuple[Approver, ...]) -> frozenset[PersonId]:
        if not asked:
            return frozenset()
        of_somebody = any(each.kind is ApproverKind.MANAGER_OF for each in asked)
        key = (row.tenant, asked, row.requester if of_somebody else None)
        found = self._known.get(key)
        if found is None:
            requester = requesting_person(row.requester)
            found = electorates.resolve(
                self._tx, row.tenant, asked, requester=requester, strict=False
            )
            self._known[key] = found
        return found


def is_asked(tx: Transaction, row: ApprovalRow, person: PersonId) -> bool:
    """Whether `person` is in the pool of `electorate`, found out from what is known of this person alone."""
    asked = (*row.content.approvers, *row.widened)
    requester = requesting_person(row.requester)
    return electorates.includes(tx, row.tenant, asked, person, requester=requester)


def standing(tx: Transaction, row: ApprovalRow) -> Tally:
    """What the votes on this version amount to now."""
    return count(row, votes.current(tx, row.id, row.version), electorate(tx, row))


def count(row: ApprovalRow, cast: Iterable[VoteRow], among: Electorate) -> Tally:
    """What the current ones of the votes `cast` on this version amount to among `among`."""
    current = [vote.cast for vote in cast if vote.is_current and vote.version == row.version]
    return tally(row.content.policy.quorum, current, among)
