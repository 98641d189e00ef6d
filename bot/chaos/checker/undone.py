"""Rollbacks (I9): what was done after the target is undone newest first, each once, and an end that says so is true."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bot.chaos.checker.book import Book, Row, part, twice
from bot.chaos.checker.world import Effect

SETTLED = frozenset({"compensation.finished", "compensation.skipped", "compensation.taken_over"})
REQUEST = "signoff.http:request"  # what stands for an HTTP request
LEFT_ALONE = frozenset({"rolled_back", "killed"})  # a run that ended so is not undone again
ENDS = frozenset({"step.finished", "step.failed", "child.ended"})


@dataclass
class Done:
    """One step or child as its run's journal tells it, and whether it may have done anything.

    `attempts` says of each whether it may have had its effect: yes, until its own end tells otherwise.
    """

    path: str
    name: str
    kind: str
    begun: int
    can_be_undone: bool
    ended: int | None = None
    attempts: list[bool] = field(default_factory=list[bool])
    is_under_way: bool = False
    is_finished: bool = False

    @property
    def may_have_happened(self) -> bool:
        """Whether it is finished, or one of its attempts did not say that it did nothing."""
        return self.is_finished or not self.attempts or any(self.attempts)


def wrong_rollbacks(book: Book) -> Iterator[str]:
    """Rollbacks that are not what they say, whether they have come to an end or not."""
    for run in book["runs"]:
        entries = book.journals.get(run["id"], [])
        starts = [at for at, entry in enumerate(entries) if entry["kind"] == "rollback.started"]
        for start, following in pairwise([*starts, len(entries)]):
            before, after = since_it_went_on(entries[:start]), entries[start + 1 : following]
            yield from _rollback(run, before, entries[start], after)
        yield from _children(book, run, since_it_went_on(entries))


def out_of_order(book: Book, effects: Sequence[Effect]) -> Iterator[str]:
    """Compensations whose first calls came in another order than the journal begins them."""
    called: defaultdict[str, dict[str, None]] = defaultdict(dict[str, None])
    for effect in sorted(effects, key=lambda each: each.at):
        if effect.is_undo:
            called[effect.place[0]][effect.place[1]] = None
    for run, paths in called.items():
        told = dict.fromkeys(
            entry["path"]
            for entry in book.journals.get(run, [])
            if entry["kind"] == "compensation.begun" and entry["path"] in paths
        )
        if list(told) != [path for path in paths if path in told]:
            yield f"I9: the undos of run {run} were called as {list(paths)}, not as {list(told)}"


def since_it_went_on(entries: Sequence[Row]) -> list[Row]:
    """The journal without what was left behind when the run went back and then on again."""
    kept: list[Row] = []
    for entry in entries:
        if entry["kind"] == "rollback.resumed":
            kept = [each for each in kept if each["position"] <= entry["data"]["position"]]
        kept.append(entry)
    return kept


def _rollback(run: Row, before: list[Row], ordered: Row, after: list[Row]) -> Iterator[str]:
    where = f"I9: run {run['id']}"
    said = ordered["data"]
    only, kinds, target = said.get("only"), said.get("kinds"), said.get("position", 0)
    settled_before = {entry["path"] for entry in before if _settles(entry)}
    wanted = [
        each
        for each in _newest_first(before)
        if each.begun > target
        and (only is None or each.name in only)
        and (kinds is None or each.kind in kinds)
        and each.path not in settled_before
    ]
    resumed = next(
        (at for at, each in enumerate(after) if each["kind"] == "rollback.resumed"), None
    )
    after = after if resumed is None else after[: resumed + 1]
    undone = [entry["path"] for entry in after if _settles(entry)]
    for path in twice(undone):
        yield f"{where} was not undone newest first, each once: {path} twice"
    known = {each.path for each in wanted if each.can_be_undone and each.may_have_happened}
    for path in undone:
        if path not in known:
            yield f"{where}: {path} was undone, and there was nothing of it to undo"
    order = [each.path for each in wanted if each.path in undone]
    if undone != order and set(undone) <= known:
        yield f"{where} was not undone newest first, each once: {undone}"
    ends = {entry["kind"] for entry in after}
    if ends & {"run.rolled_back", "rollback.resumed"}:
        left = [each.path for each in wanted if each.path in known and each.path not in undone]
        if left:
            yield f"{where} is rolled back without {left}"
    yield from _attempts(where, after)


def _attempts(where: str, after: list[Row]) -> Iterator[str]:
    begun = Counter(entry["path"] for entry in after if entry["kind"] == "compensation.begun")
    for entry in after:
        is_end = entry["kind"] in {"compensation.finished", "compensation.failed"}
        if is_end and not begun[entry["path"]]:
            yield f"{where}: {entry['kind']} of {entry['path']}, which was never begun"


def _newest_first(before: list[Row]) -> list[Done]:
    """What was done, the newest first: what ended last, and before all others what has not ended."""
    found: dict[str, Done] = {}
    for entry in before:
        path = str(entry["path"])
        if entry["kind"] == "child.started":
            found[path] = _done(entry, "child", can_be_undone=True)
        elif entry["kind"] == "step.begun":
            can_be_undone = entry["data"].get("undo") is not None
            kind = _kind(entry["data"])
            this = found.setdefault(path, _done(entry, kind, can_be_undone=can_be_undone))
            this.begun, this.is_under_way = entry["position"], True
            this.attempts.append(True)
        elif entry["kind"] in ENDS and path in found:
            _end(found[path], entry)
    never = before[-1]["position"] + 1 if before else 0

    def newness(each: Done) -> tuple[int, int]:
        return (never if each.ended is None else each.ended, each.begun)

    return sorted(found.values(), key=newness, reverse=True)


def _kind(data: Mapping[str, Any]) -> str:
    """What a step's undo is called in an order that names kinds."""
    stated = part(data, "undo_terms").get("kind")
    return str(stated or ("http" if data.get("fn") == REQUEST else "step"))


def _done(entry: Row, kind: str, *, can_be_undone: bool) -> Done:
    return Done(
        path=str(entry["path"]),
        name=str(entry["name"]),
        kind=kind,
        begun=entry["position"],
        can_be_undone=can_be_undone,
    )


def _end(this: Done, entry: Row) -> None:
    data = entry["data"]
    this.ended = entry["position"]
    if entry["kind"] == "step.finished":
        this.is_finished = True
    elif entry["kind"] == "step.failed":
        if this.is_under_way:
            this.attempts.pop()
        this.is_under_way = False
        this.attempts.append(not data.get("no_effect"))
    elif data["status"] in LEFT_ALONE:
        this.can_be_undone = False


def _settles(entry: Row) -> bool:
    return entry["kind"] in SETTLED or entry["kind"] == "child.undone"


def _children(book: Book, run: Row, kept: list[Row]) -> Iterator[str]:
    """Children that are said to be undone, and are not."""
    for entry in kept:
        if entry["kind"] != "child.undone" or entry["data"].get("status") is None:
            continue
        child = book.runs.get(entry["data"]["child"])
        if child is None:
            yield f"I9: run {run['id']} undid {entry['data']['child']}, which is not there"
        elif child["status"] != entry["data"]["status"]:
            told = entry["data"]["status"]
            yield f"I9: run {child['id']} is {child['status']}, and {run['id']} says it is {told}"
