"""Leases and progress (I4, I19): who may drive, and that everything goes on or waits for a named thing."""

from collections.abc import Iterator

from bot.chaos.checker.book import Book, Row, twice
from bot.chaos.checker.moves import LIVE

HELD = frozenset(
    {
        "waiting:approval",
        "waiting:halted",
        "rolling_back:approval",
        "waiting:child",
        "rolling_back:child",
        "paused",
        "paused:approval",
        "paused:timer",
        "paused:halted",
        "paused:branches",
        "paused:child",
        "waiting:budget",
        "paused:budget",
        "waiting:quarantined",
        "waiting:reconcile",
        "paused:reconcile",
    }
)
DRIVEN = frozenset({"created", "running", "rolling_back"})


def misheld(book: Book) -> Iterator[str]:
    """Leases that two hold, or that nobody should hold."""
    held = [run["lease_token"] for run in book["runs"] if run["lease_token"] is not None]
    yield from (f"I4: the lease {token} is held for two runs" for token in twice(held))
    for run in book["runs"]:
        parts = [run["lease_token"], run["lease_holder"], run["lease_expires_at"]]
        if any(part is None for part in parts) and any(part is not None for part in parts):
            yield f"I4: run {run['id']} has half a lease"
        if run["lease_token"] is not None and _state(run) not in DRIVEN | {"paused"}:
            yield f"I4: run {run['id']} is {_state(run)} and is held"


def adrift(book: Book) -> Iterator[str]:
    """Runs that will neither go on nor be woken by anything that has a name."""
    for run in book["runs"]:
        yield from (f"I19: run {run['id']} is {_state(run)}{why}" for why in _adrift(book, run))


def unfinished(book: Book, now: int) -> Iterator[str]:
    """What should be over when everything had its time: driven runs, due timers, due deliveries."""
    for run in book["runs"]:
        is_due = run["ready_at"] is not None and run["ready_at"] <= now
        if _state(run) in DRIVEN or is_due:
            yield f"I19: run {run['id']} is {_state(run)} and goes no further"
    for timer in book["timers"]:
        if timer["fired_at"] is None and timer["cancelled_at"] is None and timer["due_at"] <= now:
            yield f"I19: rung {timer['rung']} of {timer['approval']} is due and did not fire"
    for row in book["outbox"]:
        if row["status"] == "pending" and row["due_at"] <= now:
            yield f"I13: {row['id']} is due and was not delivered"


def _adrift(book: Book, run: Row) -> Iterator[str]:
    state = _state(run)
    opened = [row for row in book.where("approvals", run=run["id"]) if row["status"] == "open"]
    if state not in LIVE:
        if opened or _below(book, run) or run["ready_at"] is not None:
            yield ", and something of it still waits"
        return
    # An approval that was asked together with its run waits from the start.
    if state in {*DRIVEN, "waiting:timer"} and run["ready_at"] is None:
        yield ", and nothing will take it up"
    if state in {"waiting:budget", "paused:budget"}:
        asked = book.approvals.get(run["awaits"])
        if asked is None or (asked["status"] != "open" and not _is_live(book, asked["run"])):
            yield f", and nobody is asked for more in {run['awaits']}"
    elif state in {"waiting:approval", "paused:approval", "rolling_back:approval"}:
        if [row["id"] for row in opened] != [run["awaits"]]:
            yield f", waits for {run['awaits']}, and open are {[row['id'] for row in opened]}"
    elif any(_is_left(book, state, row) for row in opened):
        yield ", and one of its approvals is open"
    if run["ready_at"] is not None and state in HELD:
        yield ", and is taken up all the same"
    is_asking = bool(opened) or _is_left_to_people(book, run)
    yield from _adrift_from_others(run, state, is_asking=is_asking, below=_below(book, run))


def _adrift_from_others(
    run: Row, state: str, *, is_asking: bool, below: list[Row]
) -> Iterator[str]:
    if state in {"waiting:child", "paused:child", "rolling_back:child"}:
        if run["awaits"] not in {row["id"] for row in below}:
            yield f", and waits for {run['awaits']}, which has ended"
    elif any("." not in row["parent_path"] for row in below):
        yield ", and a run is live that it no longer waits for"
    if state == "waiting:branches" and run["ready_at"] is None and not (is_asking or below):
        yield ", and none of its branches waits for anything"


def _is_left(book: Book, state: str, approval: Row) -> bool:
    """Whether nobody waits for this open approval any more; one to undo is asked in a rollback that may be held."""
    if approval["path"].endswith(":undo"):
        return state != "paused"
    return "." not in approval["path"] or _is_over(book, approval)


def _is_left_to_people(book: Book, run: Row) -> bool:
    """Whether a branch of it asked to spend more, or does not know what it did, and nobody has answered."""
    asked: set[str] = set()
    for entry in book.journals.get(run["id"], []):
        if entry["kind"] in {"budget.asked", "effect.unknown"}:
            asked.add(entry["path"])
        elif entry["kind"] in {"budget.raised", "budget.kept", "effect.settled"}:
            asked.discard(entry["path"])
    return bool(asked)


def _is_live(book: Book, run: str) -> bool:
    return _state(book.runs[run]) in LIVE


def _below(book: Book, run: Row) -> list[Row]:
    return [row for row in book.where("runs", parent=run["id"]) if _state(row) in LIVE]


def _is_over(book: Book, approval: Row) -> bool:
    """Whether the branches were ended, in one of which the approval is."""
    return (
        any(
            entry["kind"] == "branches.ended" and approval["path"].startswith(f"{entry['path']}.")
            for entry in book.journals.get(approval["run"], [])
        )
        or book.runs[approval["run"]]["status"] == "rolling_back"
    )


def _state(run: Row) -> str:
    return str(run["status"]) + (f":{run['reason']}" if run["reason"] else "")
