"""The world outside (I1, I3, I9, I10, I13, I14): what was done and shown, against what the database says."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chaos.checker.agreed import effective_call
from bot.chaos.checker.book import Book, Row, twice

ENDINGS = frozenset({"approval.decided", "approval.expired", "approval.cancelled"})


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One call as the world's ledger has it. `life` numbers the process that did it, `who` names it."""

    request: str
    name: str
    args: tuple[Any, ...]
    needs_consent: bool = False
    life: int = 0
    at: int = 0
    who: str = ""

    @property
    def is_undo(self) -> bool:
        return self.request.endswith(":undo")

    @property
    def place(self) -> tuple[str, str]:
        """The run and the call path."""
        run, path = self.request.split(":")[:2]
        return run, path


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One message as a medium received it."""

    key: str
    approval: str
    address: str
    status: str
    version: int
    life: int = 0


def wrong_effects(
    book: Book, effects: Sequence[Effect], late: frozenset[Effect] = frozenset()
) -> Iterator[str]:
    """Effects without consent, with other arguments, or after their end, but for those that are `late`."""
    for effect in effects:
        yield from _effect(book, effect, is_late=effect in late)
    given = {(effect.request, effect.args) for effect in effects}
    for request in twice(request for request, _args in given):
        yield f"I3: {request} was done again with other arguments"


def repeated_effects(book: Book, effects: Sequence[Effect], *, kills: int) -> Iterator[str]:
    """Effects that one process did again, or that were done more often than it was killed."""
    failed = Counter(
        (run, entry["path"], entry["kind"].partition(".")[0])
        for run, entries in book.journals.items()
        for entry in entries
        if entry["kind"] in {"step.failed", "compensation.failed"}
    )
    done = Counter((effect.request, effect.is_undo) for effect in effects)
    in_one_life = Counter((effect.request, effect.is_undo, effect.life) for effect in effects)
    for (request, is_undo, life), count in in_one_life.items():
        run, path = request.split(":")[:2]
        allowed = 1 + failed[run, path, "compensation" if is_undo else "step"]
        if count > allowed:
            yield f"I3: {request} was done {count} times in life {life}"
    for (request, _), count in done.items():
        if count > 1 + kills + sum(failed.values()):
            yield f"I3: {request} was done {count} times over {kills} kills"


def missing_effects(book: Book, effects: Sequence[Effect], names: frozenset[str]) -> Iterator[str]:
    """Steps that are finished and were never done, of those that write the ledger."""
    done = {effect.place for effect in effects if not effect.is_undo}
    undone = {effect.place for effect in effects if effect.is_undo}
    for run, entries in book.journals.items():
        for entry in entries:
            place = (run, str(entry["path"]))
            if entry["name"] not in names:
                continue
            if entry["kind"] == "step.finished" and place not in done:
                yield f"I3: {entry['name']} of {run} is finished and was never done"
            if entry["kind"] == "compensation.finished" and place not in undone:
                yield f"I9: {entry['name']} of {run} is undone and its undo never ran"


def wrong_messages(book: Book, shown: Sequence[Shown]) -> Iterator[str]:
    """Messages that were never planned, or that went back in time."""
    keys = {row["id"] for row in book["outbox"]}
    seen: dict[tuple[str, str], Shown] = {}
    for each in shown:
        if each.key not in keys:
            yield f"I13: {each.key} was sent and is not in the outbox"
        before = seen.get((each.approval, each.address))
        if before is not None and _is_older(each, than=before):
            yield f"I14: {each.address} was shown {each.status} of {each.approval} after its end"
        seen[each.approval, each.address] = each


def repeated_messages(shown: Sequence[Shown], *, kills: int) -> Iterator[str]:
    """Messages that one process sent again, or that came more often than it was killed."""
    for (key, life), count in Counter((each.key, each.life) for each in shown).items():
        if count > 1:
            yield f"I13: {key} was sent {count} times in life {life}"
    for key, count in Counter(each.key for each in shown).items():
        if count > 1 + kills:
            yield f"I13: {key} was sent {count} times over {kills} kills"


def oversent(book: Book, shown: Sequence[Shown]) -> Iterator[str]:
    """Messages that came more often than anybody says to have tried."""
    tries = {row["id"]: int(row["attempts"]) for row in book["outbox"]}
    for key, count in Counter(each.key for each in shown).items():
        if key in tries and count > tries[key]:
            yield f"I13: {key} was sent {count} times and tried {tries[key]} times"


def never_arrived(book: Book, posted: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Messages that are marked as posted and never arrived; `posted` are the keys by channel."""
    deliveries: defaultdict[str, set[str]] = defaultdict(set)
    for row in book["outbox"]:
        if row["message"] is not None:
            deliveries[row["message"]].add(row["id"])
    for message in book["messages"]:
        keys = posted.get(message["channel"])
        if keys is None or message["state"] != "posted":
            continue
        if not deliveries[message["id"]] & keys:
            yield f"I13: message {message['id']} is marked as posted and never arrived"


def still_live(book: Book, live: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Buttons that can still be pressed, by address and approval, where all is over."""
    for address, approval in live:
        row = book.approvals.get(approval)
        if row is None or row["status"] != "open":
            yield f"I14: {address} can still press a button of {approval}, which has ended"


def unsent(book: Book, shown: Sequence[Shown], channel: str) -> Iterator[str]:
    """Deliveries that are marked as sent and never arrived on `channel`."""
    arrived = {each.key for each in shown}
    for row in book.where("outbox", channel=channel, status="sent"):
        if row["id"] not in arrived and row["kind"] != "tell":
            yield f"I13: {row['id']} is marked as sent and never arrived"


def stale(book: Book, shown: Sequence[Shown]) -> Iterator[str]:
    """Messages that still show an approval as it was, when everything has been delivered."""
    for (approval, address), last in {
        (each.approval, each.address): each for each in shown
    }.items():
        row = book.approvals.get(approval)
        if row is not None and (row["status"], row["version"]) != (last.status, last.version):
            yield f"I14: {address} still sees {approval} as {last.status}; it is {row['status']}"


def unannounced(book: Book) -> Iterator[str]:
    """Approvals whose messages lack a delivery that people need."""
    events: defaultdict[str, set[str]] = defaultdict(set)
    for row in book["outbox"]:
        if row["message"] is not None:
            events[row["message"]].add(row["event"])
    messages = {row["id"] for row in book["messages"]}
    yield from (
        f"I13: deliveries of {name}, which is no message" for name in events.keys() - messages
    )
    for message in book["messages"]:
        approval = book.approvals[message["approval"]]
        if message["address"] != approval["callback_url"] and not any(
            event == "approval.opened" for event in events[message["id"]]
        ):
            yield f"I13: message {message['id']} was never told that {approval['id']} is open"
        is_live = message["state"] in {"planned", "posted"}
        if is_live and approval["status"] != "open" and not events[message["id"]] & ENDINGS:
            yield f"I13: message {message['id']} was never told that {approval['id']} has ended"
    for link in book["links"]:
        if link["revoked_at"] is None and book.approvals[link["approval"]]["status"] != "open":
            yield f"I14: a link of {link['approval']} still decides"


def _effect(book: Book, effect: Effect, *, is_late: bool) -> Iterator[str]:
    run, path = effect.place
    lines = [entry for entry in book.journals.get(run, []) if entry["path"] == path]
    if run not in book.runs:
        yield f"I3: {effect.request} was done for a run that is not there"
        return
    end = "compensation.finished" if effect.is_undo else "step.finished"
    over = [entry for entry in lines if entry["kind"] == end and entry["at"] < effect.at]
    if over and not is_late:
        yield f"I10: {effect.request} was done again after it was finished"
    if effect.is_undo and not any(entry["kind"] == "compensation.begun" for entry in lines):
        yield f"I9: {effect.request} was undone and the journal knows nothing of it"
    if effect.needs_consent:
        yield from _consent(book, effect, lines)


def _consent(book: Book, effect: Effect, lines: list[Row]) -> Iterator[str]:
    used = next((entry for entry in lines if entry["kind"] == "approval.consumed"), None)
    begun = next((entry for entry in lines if entry["kind"] == "step.begun"), None)
    if used is None or begun is None:
        yield f"I1: {effect.request} was dispatched without a decision"
        return
    call: Row = effective_call(book, used["data"]["approval"], used["data"]["digest"]) or {}
    args: list[Any] = call.get("arguments", {}).get("args", list(effect.args))
    if list(effect.args) != args:
        yield f"I1: {effect.request} was done with {effect.args}, approved was {args}"


def _is_older(this: Shown, *, than: Shown) -> bool:
    if this.version != than.version:
        return this.version < than.version
    return this.status == "open" != than.status
