"""What must hold when everything has come to rest: the record, the cards, and that nothing is stuck."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bot.chaos.simulation.lines import text_of
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.outside import Outside
from bot.chaos.simulation.rows import ApprovalRow, RunRow
from engine.clock import iso
from engine.digest import canonical
from engine.rules.chaining import ChainCheck, Line
from engine.rules.folding import Folded, FoldedApproval
from engine.store.new_entry import Entry

BY_VOTES: Final = {"quorum", "reject_quorum", "changes_requested", "approval_impossible"}


def findings(memory: Memory, outside: Outside) -> Iterator[str]:
    """One sentence for each thing that does not hold."""
    for run in memory.runs:
        yield from _record(memory, run)
        if not run.shape.is_terminal and not _waits_for_people(memory, run):
            yield f"I19: {run.id} is {run.shape.status}:{run.shape.reason}, and nothing will wake it"
    for row in memory.approvals:
        yield from _cards(memory, outside, row)
        if row.status == "open" and row.expires_at is not None and row.expires_at <= memory.now:
            yield f"I8: the deadline of {row.id} is over and it is open"
    for told in outside.told:
        if not any(_is(told.person, told.choice, v) for v in memory.votes[told.approval]):
            yield f"I2: {told.person} was told of a vote on {told.approval} that is gone"


def _is(person: str, choice: str, vote: object) -> bool:
    return (getattr(vote, "person", None), getattr(vote, "choice", None)) == (person, choice)


def _waits_for_people(memory: Memory, run: RunRow) -> bool:
    # A ladder that ends in `hold` leaves an approval open for ever.
    asked = [row for row in memory.approvals if row.run == run.id]
    return any(row.status == "open" and row.expires_at is None for row in asked)


def _record(memory: Memory, run: RunRow) -> Iterator[str]:
    check, folded = ChainCheck(chain=run.id), Folded()
    journal = memory.journals[run.id]
    for entry in journal:
        check.take(_line(entry))
        text = canonical(entry.data).decode()
        folded.take(entry.position, entry.kind, text, path=entry.path)
    check.end(length=run.position, head=run.head)
    yield from (f"I12: {finding.says}" for finding in check.findings)
    yield from (f"I11: {run.id}, position {position}: {says}" for position, says in folded.wrong)
    if folded.shape != run.shape:
        yield f"I11: {run.id} is stored as {run.shape}, and its journal says {folded.shape}"
    for row in memory.approvals:
        if row.run == run.id:
            yield from _folded(memory, row, folded.approvals.get(row.id, FoldedApproval()))


def _line(entry: Entry) -> Line:
    return Line(
        chain=entry.run,
        position=entry.position,
        kind=entry.kind,
        data=canonical(entry.data).decode(),
        at=iso(entry.at),
        previous=entry.previous,
        hash=entry.hash,
        text=text_of(entry),
    )


def _folded(memory: Memory, row: ApprovalRow, said: FoldedApproval) -> Iterator[str]:
    stored = (str(row.status), row.version, row.digest, row.is_consumed)
    if stored != (said.status, said.version, said.digest, said.is_consumed):
        yield f"I11: {row.id} is stored as {stored[:2]}, its journal says {said.status}, {said.version}"
    votes = {v.sequence: (v.version, v.person, v.choice) for v in memory.votes[row.id]}
    late = {v.sequence for v in memory.votes[row.id] if v.is_late}
    counted = {at: vote for at, vote in votes.items() if at not in late}
    if counted != {at: (v.version, v.person, v.choice) for at, v in said.votes.items()}:
        yield f"I11: {row.id} has other votes than its journal"


def _cards(memory: Memory, outside: Outside, row: ApprovalRow) -> Iterator[str]:
    mine = [each for each in memory.deliveries if each.approval == row.id]
    if len(mine) != _changes(memory, row):
        yield f"I13: {row.id} changed {_changes(memory, row)} times and has {len(mine)} deliveries"
    if any(each.status == "pending" for each in mine):
        yield f"I13: a card of {row.id} is still to be shown"
    shown = outside.shown.get(row.id)
    if all(each.status == "sent" for each in mine) and shown is not None:
        if shown[1:] != (row.version, str(row.status)):
            yield f"I14: the card of {row.id} shows {shown[2]}, and it is {row.status}"
    elif mine and shown is None and all(each.status == "sent" for each in mine):
        yield f"I13: {row.id} was never shown"


def _changes(memory: Memory, row: ApprovalRow) -> int:
    """How often the card had to change, by the journal."""
    counts: Counter[str] = Counter()
    journal = memory.journals[row.run]
    for at, entry in enumerate(journal):
        if entry.data.get("approval") != row.id:
            continue
        following = [str(each.data.get("rule")) for each in journal[at + 1 : at + 2]]
        is_ending = entry.kind == "vote.recorded" and not BY_VOTES.isdisjoint(following)
        is_silent = entry.kind == "rung.fired" and not str(entry.data["text"]).startswith("widen")
        if not is_ending and not is_silent:
            counts[entry.kind] += 1
    kinds = (
        "approval.opened",
        "approval.edited",
        "approval.decided",
        "vote.recorded",
        "rung.fired",
    )
    return sum(counts[kind] for kind in kinds)
