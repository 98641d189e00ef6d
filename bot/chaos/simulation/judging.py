"""What must hold after every step: judged by the rows, the ledger and counting by hand."""

from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Final

from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.rows import ApprovalRow, RunRow, VoteRow
from engine.rules.states import RunStatus
from engine.store.new_entry import Entry

GROUPS: Final = {
    "finance": {"ana", "bo"},
    "risk": {"bo", "chen"},
}  # as asked, and known here by heart
ENDED: Final = {"approved", "rejected", "expired", "cancelled"}
_GOOD: Final = {"step.begun", "approval.consumed", "compensation.begun"}


class Broken(Exception):
    """Something that must hold does not."""


class Judge:
    """Looks at what changed since it looked last."""

    def __init__(self, memory: Memory, outside: Outside) -> None:
        self._memory, self._outside = memory, outside
        self._runs: dict[str, RunRow] = {}
        self._approvals: dict[str, ApprovalRow] = {}
        self._votes: dict[str, tuple[VoteRow, ...]] = {}
        self._read: dict[str, int] = {}
        self._used: Counter[tuple[str, int]] = Counter()
        self._calls = self._told = 0
        self.seen: Counter[str] = Counter()  # kinds of entries, so that nothing passes unvisited

    def look(self) -> None:
        """Return if all is well.

        Raises:
            Broken: naming the invariant.
        """
        for said in self._found():
            raise Broken(said)

    def _found(self) -> Iterator[str]:
        for row in self._memory.runs:
            if self._runs.get(row.id) is not row:
                yield from self._run(row, self._runs.get(row.id))
                self._runs[row.id] = row
        for asked in self._memory.approvals:
            votes = self._memory.votes[asked.id]
            before = self._approvals.get(asked.id)
            if before is not asked or self._votes.get(asked.id) is not votes:
                yield from self._approval(asked, before, votes)
                self._approvals[asked.id], self._votes[asked.id] = asked, votes
        yield from self._world()
        yield from self._money()

    def _run(self, row: RunRow, before: RunRow | None) -> Iterator[str]:
        journal = self._memory.journals[row.id]
        read = self._read.get(row.id, 0)
        is_over = before is not None and before.shape.is_terminal and before.shape != row.shape
        if is_over and all(entry.kind != "rollback.started" for entry in journal[read:]):
            yield f"I5: {row.id} had ended and is {row.shape.status}"
        for entry in journal[read:]:
            self.seen[entry.kind] += 1
            yield from self._entry(row, entry, journal)
        self._read[row.id] = len(journal)
        if row.shape.status is RunStatus.PAUSED and row.ready_at is not None:
            yield f"I20: {row.id} is paused and would be taken up at {row.ready_at}"
        if row.shape.is_terminal:
            if row.token is not None:
                yield f"I4: {row.id} has ended and is held"
            if any(a.run == row.id and a.status == "open" for a in self._memory.approvals):
                yield f"I5: {row.id} has ended and still asks"

    def _entry(self, row: RunRow, entry: Entry, journal: tuple[Entry, ...]) -> Iterator[str]:
        earlier = [each for each in journal[: entry.position] if each.path == entry.path]
        if entry.kind in _GOOD and self._memory.switches.get("tenant"):
            ordered = any(e.data.get("by") for e in journal if e.kind == "rollback.started")
            if entry.kind != "compensation.begun" or not ordered:
                yield f"I15: {entry.kind} of {row.id} while the kill switch is engaged"
        if entry.kind == "step.begun" and any(e.kind == "step.finished" for e in earlier):
            yield f"I10: {entry.name} of {row.id} was finished and begins again"
        if entry.kind == "approval.consumed":
            yield from self._consumed(row, str(entry.data["approval"]))
        if entry.kind == "compensation.begun":
            if any(e.kind == "compensation.finished" for e in earlier):
                yield f"I9: {entry.name} of {row.id} is undone twice"
            yield from self._order(row, entry, journal)
        if entry.kind == "run.rolled_back":
            yield from self._undone(row, journal)

    def _consumed(self, row: RunRow, approval: str) -> Iterator[str]:
        asked = self._memory.approvals[approval]
        self._used[approval, asked.version] += 1
        if self._used[approval, asked.version] > 1:
            yield f"I1: the decision on {approval} was used twice"
        outcome = str((asked.decision or {}).get("outcome"))
        if asked.run != row.id or outcome not in {"approved", "continued"}:
            yield f"I1: {row.id} goes on and {approval} is {asked.status}"
        if outcome == "approved" and not is_agreed(asked, self._memory.votes[approval]):
            yield f"I1: {row.id} goes on and {approval} has no quorum"

    def _order(self, row: RunRow, entry: Entry, journal: tuple[Entry, ...]) -> Iterator[str]:
        settled = {e.path for e in journal if e.kind.startswith("compensation.") and _is_over(e)}
        finished = [e.path for e in journal if e.kind == "step.finished"]
        for later in journal:
            if later.kind != "step.begun" or not later.data.get("undo") or later.path in settled:
                continue
            if later.path == entry.path or str(later.path) <= str(entry.path):
                continue
            if later.path in finished:
                yield f"I9: {entry.name} of {row.id} is undone before {later.name}"

    def _undone(self, row: RunRow, journal: tuple[Entry, ...]) -> Iterator[str]:
        for _kind, run, step in self._outside.order:
            if run != row.id:
                continue
            begun = next((e for e in journal if e.kind == "step.begun" and e.name == step), None)
            if begun is None or not begun.data.get("undo"):
                continue
            is_over = any(_is_over(e) for e in journal if e.path == begun.path)
            if not is_over:
                yield f"I9: {run} is rolled back and {step} is not undone"

    def _approval(
        self, row: ApprovalRow, before: ApprovalRow | None, votes: tuple[VoteRow, ...]
    ) -> Iterator[str]:
        if before is not None and before.status in ENDED and row.status != before.status:
            yield f"I5: {row.id} was {before.status} and is {row.status}"
        current = [vote for vote in votes if vote.is_current and vote.version == row.version]
        for person, count in Counter(vote.person for vote in current).items():
            if count > 1:
                yield f"I6: {person} has {count} votes on {row.id}"
        known = len(self._votes.get(row.id, ()))
        for vote in votes[known:]:
            if not vote.is_late and vote.digest != row.digest and vote.version == row.version:
                yield f"I7: {vote.person} saw something else than version {row.version}"
            until = None if before is None else before.expires_at
            if not vote.is_late and until is not None and vote.at >= until:
                yield f"I8: {vote.person} was counted on {row.id} after its deadline"
        if row.status == "approved" and not is_agreed(row, votes):
            yield f"I1: {row.id} is approved without a quorum"

    def _world(self) -> Iterator[str]:
        calls = self._outside.calls
        for deed in calls[self._calls :]:
            if (
                deed.irreversible
                and sum(each.is_held and each.request == deed.request for each in calls) > 1
            ):
                yield f"I3: {deed.step} of {deed.run} was done twice"
            if deed.step.startswith("ship") and not deed.is_undo:
                yield from self._shipped(deed.run, deed.step, deed.amount)
        self._calls = len(calls)
        for told in self._outside.told[self._told :]:
            mine = [v for v in self._memory.votes.get(told.approval) or () if not v.is_late]
            if (told.version, told.person, told.choice) not in [
                (vote.version, vote.person, vote.choice) for vote in mine
            ]:
                yield f"I2: {told.person} was told of a vote on {told.approval} that is not there"
        self._told = len(self._outside.told)
        for delivery in self._memory.deliveries:
            if delivery.approval not in self._memory.approvals:
                yield f"I13: {delivery.id} is of {delivery.approval}, which does not exist"
        for request, made in self._outside.agents.items():
            if len(made) > 1:
                yield f"I3: {request} was done by {len(made)} agents"

    def _shipped(self, run: str, step: str, amount: int) -> Iterator[str]:
        journal = self._memory.journals[run]
        begun = next((e for e in journal if e.kind == "step.begun" and e.name == step), None)
        path = None if begun is None else begun.path
        used = next((e for e in journal if e.kind == "approval.consumed" and e.path == path), None)
        if used is None:
            yield f"I1: {step} of {run} was done without a decision"
        elif self._memory.approvals[str(used.data["approval"])].amount != amount:
            yield f"I1: {step} of {run} was done with {amount}, which nobody approved"

    def _money(self) -> Iterator[str]:
        account = self._memory.accounts["tenant"]
        if account.spent + account.reserved > account.limit:
            yield f"I15: {account.spent} spent and {account.reserved} kept of {account.limit}"
        if account.reserved != sum(sum(row.kept.values()) for row in self._memory.runs):
            yield f"I15: {account.reserved} is kept back, and no run has that"


def _is_over(entry: Entry) -> bool:
    return entry.kind in {"compensation.finished", "compensation.skipped"}


def is_agreed(row: ApprovalRow, votes: tuple[VoteRow, ...]) -> bool:
    """Whether enough people agreed to this version, counted by hand."""
    people = {
        vote.person
        for vote in votes
        if vote.is_current and (vote.version, vote.choice) == (row.version, "approve")
    }
    people -= row.excluded
    people &= {"ana", "bo", "chen"} | row.widened
    if row.quorum.need is not None:
        return len(people) >= row.quorum.need
    places = [name for name, need in row.quorum.groups for _place in range(need)]
    if len(places) > len(people):
        return False
    return any(
        all(person in GROUPS[place] or not _groups_of(person) for person, place in filling)
        for chosen in permutations(sorted(people), len(places))
        for filling in [tuple(zip(chosen, places, strict=True))]
    )


def _groups_of(person: str) -> list[str]:
    return [name for name, members in GROUPS.items() if person in members]
