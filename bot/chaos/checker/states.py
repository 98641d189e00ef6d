"""What the journal says happened (I5, I6, I8, I11), told again by rules of our own, and the rows beside it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.chaos.checker.book import Book, Row, instant, ladder
from bot.chaos.checker.moves import BEGINS, ENDED_BY_OTHERS, ENDS, LET_GO_ON, LIVE, MOVES, QUIET

NAMES_IT_ONLY = {"step.begun", "budget.asked", "monitor.fired"}  # an approval is told of elsewhere
BECOMES = {"continued": "expired", "rollback": "expired"}


@dataclass
class Told:
    """One approval as its run's journal tells it."""

    run: str
    status: str = "open"
    version: int = 0
    expires_at: int | None = None
    decision: dict[str, Any] | None = None
    ended_at: int | None = None
    consumed_at: int | None = None
    versions: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    votes: Counter[tuple[Any, ...]] = field(default_factory=Counter[tuple[Any, ...]])
    rungs: list[int] = field(default_factory=list[int])


def contradictions(book: Book) -> Iterator[str]:
    """Where the rows and the journals tell different stories."""
    told: dict[str, Told] = {}
    for run in book["runs"]:
        yield from _run(book, run, book.journals.get(run["id"], []))
        for entry in book.journals.get(run["id"], []):
            yield from _tell(told, entry)
    for approval in book.approvals.values():
        if approval["id"] not in told:
            yield f"I11: approval {approval['id']} was never opened in its journal"
        else:
            yield from _approval(book, approval, told[approval["id"]])
    yield from _late(book)
    yield from (f"I11: {name} was opened and is no row" for name in told.keys() - book.approvals)


def _run(book: Book, run: Row, entries: list[Row]) -> Iterator[str]:
    state = ""
    for entry in entries:
        kind = entry["kind"]
        where = f"run {run['id']}, position {entry['position']}: {kind}"
        if kind == "run.created" and not state:
            state = "created"
        elif _is_in_branch(entry, state):
            continue
        elif _is_undone(book, entry, state):
            state = "rolling_back"
        elif (kind, state) in LET_GO_ON:
            state = entry["data"].get("to", "running")
        elif state in MOVES.get(kind, {}):
            state = MOVES[kind][state]
        elif kind not in QUIET or state not in LIVE:
            yield f"I11: {where} cannot happen in {state or 'nothing'}"
            return
    stored = run["status"] + (f":{run['reason']}" if run["reason"] else "")
    if stored != state:
        yield f"I11: run {run['id']} is stored as {stored}, its journal says {state}"
    elif state not in LIVE:
        yield from _ending(run, entries[-1])


def _is_in_branch(entry: Row, state: str) -> bool:
    kind, path = entry["kind"], entry["path"] or ""
    if "." not in path:
        return False
    if kind in BEGINS:
        return state == "running" and entry["data"].get("to") == "running"
    is_the_runs_own = kind == "effect.settled" and state in {
        "waiting:reconcile",
        "paused:reconcile",
    }
    is_by_others = kind in ENDED_BY_OTHERS and state in LIVE and not is_the_runs_own
    is_by_others = is_by_others and state != "rolling_back"
    return is_by_others or (kind in ENDS and state == "running")


def _is_undone(book: Book, entry: Row, state: str) -> bool:
    """Whether a run that has ended begins to be undone, as the run that started it says."""
    parent = book.runs[entry["run"]]["parent"]
    told = any(
        each["kind"] == "child.undoing" and each["data"]["child"] == entry["run"]
        for each in book.journals.get(parent, [])
    )
    ended = {"completed", "failed", "cancelled"}
    return entry["kind"] == "rollback.started" and state in ended and told


def _ending(run: Row, last: Row) -> Iterator[str]:
    result = json.loads(run["result"] or "null")
    if run["status"] == "completed" and result != last["data"].get("result"):
        yield f"I11: run {run['id']} has another result than its journal"
    if run["ended_at"] != last["at"]:
        yield f"I11: run {run['id']} ended at another moment than its journal says"


def _tell(told: dict[str, Told], entry: Row) -> Iterator[str]:
    data, kind, where = entry["data"], entry["kind"], f"{entry['run']}:{entry['position']}"
    name = data.get("approval")
    if name is None or kind in NAMES_IT_ONLY:
        return
    if kind == "approval.opened":
        yield from _open(told, entry, where)
        return
    this = told.get(name)
    if this is None:
        yield f"I11: {where}: {kind} of {name}, which is not open"
    elif kind == "approval.consumed":
        yield from _consume(this, entry, where)
    elif this.status != "open":
        yield f"I5: {where}: {kind} of {name}, which is {this.status}"
    else:
        yield from _while_open(this, entry, where)


def _open(told: dict[str, Told], entry: Row, where: str) -> Iterator[str]:
    data = entry["data"]
    this = told.setdefault(data["approval"], Told(entry["run"], status="changes_requested"))
    if this.status != "changes_requested" or data["version"] != this.version + 1:
        yield f"I5: {where}: {data['approval']} is opened over {this.status} {this.version}"
    this.status, this.version, this.rungs = "open", data["version"], []
    this.decision = this.ended_at = None
    this.expires_at = None if data["expires_at"] is None else instant(data["expires_at"])
    this.versions.append((data["version"], data["digest"]))


def _while_open(this: Told, entry: Row, where: str) -> Iterator[str]:
    data, kind = entry["data"], entry["kind"]
    is_late = this.expires_at is not None and entry["at"] >= this.expires_at
    if kind == "vote.recorded":
        if data["version"] != this.version:
            yield f"I7: {where}: a vote on version {data['version']} of {this.version}"
        if is_late:
            yield f"I8: {where}: a vote at or after the deadline"
        this.votes[_vote(data)] += 1
    elif kind == "approval.edited":
        this.version = data["version"]
        this.versions.append((data["version"], data["digest"]))
    elif kind == "approval.extended":
        this.expires_at = None if data["expires_at"] is None else instant(data["expires_at"])
    elif kind == "rung.fired":
        this.rungs.append(data["rung"])
    elif kind == "approval.decided":
        by_time = str(data["rule"]).startswith("rung: ")
        if by_time != is_late and data["outcome"] != "cancelled":
            yield f"I8: {where}: decided by {data['rule']!r} on the wrong side of the deadline"
        outcome = str(data["outcome"])
        this.status = BECOMES.get(outcome, outcome)
        kept = ("outcome", "by", "rule", "comment", "changes", "at", "effective_digest", "form")
        this.decision = {name: data[name] for name in kept if name in data}
        this.ended_at = entry["at"]


def _consume(this: Told, entry: Row, where: str) -> Iterator[str]:
    outcome = (this.decision or {}).get("outcome")
    if outcome not in {"approved", "continued"} or this.consumed_at is not None:
        yield f"I1: {where}: {entry['data']['approval']} is used and is {outcome or 'open'}"
    if this.versions[-1][1] != entry["data"]["digest"]:
        yield f"I1: {where}: another digest is used than was decided"
    this.consumed_at = entry["at"]


def _approval(book: Book, row: Row, told: Told) -> Iterator[str]:
    name = f"approval {row['id']}"
    columns = ("run", "status", "version", "decision", "ended_at", "consumed_at", "expires_at")
    for column in columns:
        if row[column] != getattr(told, column):
            yield f"I11: {name} has {column} {row[column]!r}, not {getattr(told, column)!r}"
    kept = [
        (each["version"], each["digest"]) for each in book.where("versions", approval=row["id"])
    ]
    if sorted(kept) != sorted(told.versions):
        yield f"I11: {name} has other versions than its journal"
    votes = book.where("votes", approval=row["id"])
    in_time = Counter(_vote(vote) for vote in votes if not vote["is_late"])
    if in_time != told.votes:
        yield f"I11: {name} has other votes than its journal"
    yield from _current(name, votes)
    yield from _timers(name, row, book.where("timers", approval=row["id"]), told)


def _current(name: str, votes: list[Row]) -> Iterator[str]:
    last: dict[tuple[int, str], int] = {}
    for vote in sorted(votes, key=lambda each: int(each["sequence"])):
        if not vote["is_late"]:
            last[vote["version"], vote["person"]] = vote["sequence"]
    for vote in votes:
        is_last = last.get((vote["version"], vote["person"])) == vote["sequence"]
        if bool(vote["is_current"]) != is_last:
            yield f"I6: {name}: vote {vote['sequence']} of {vote['person']} is wrongly current or not"


def _timers(name: str, row: Row, timers: list[Row], told: Told) -> Iterator[str]:
    fired = [timer["rung"] for timer in timers if timer["fired_at"] is not None]
    if sorted(fired) != sorted(told.rungs) or len(set(fired)) != len(fired):
        yield f"I8: {name}: rungs {sorted(fired)} fired, the journal says {sorted(told.rungs)}"
    armed = [each for each in timers if each["fired_at"] is None and each["cancelled_at"] is None]
    if row["status"] != "open":
        if armed:
            yield f"I8: {name} has ended and a rung is still armed"
        return
    rungs = ladder(row)
    if sorted([*fired, *(timer["rung"] for timer in armed)]) != list(range(len(rungs))):
        yield f"I8: {name} is open and lacks a timer, or has one too many"
    for timer in armed:
        if timer["due_at"] != row["opened_at"] + rungs[int(timer["rung"])].after:
            yield f"I8: {name}: rung {timer['rung']} is due at another moment than it says"


def _late(book: Book) -> Iterator[str]:
    told = Counter(
        (data["approval"], data["person"], data["choice"])
        for line in book["audit"]
        if line["kind"] == "vote.late"
        for data in [json.loads(line["data"])]
    )
    kept = Counter(
        (vote["approval"], vote["person"], vote["choice"])
        for vote in book["votes"]
        if vote["is_late"]
    )
    if told != kept:
        yield "I11: late votes and their audit entries differ"


def _vote(data: Row) -> tuple[Any, ...]:
    return data["version"], data["sequence"], data["person"], data["choice"]
