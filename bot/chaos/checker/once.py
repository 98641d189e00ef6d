"""Effects that may happen once (I3): irreversible steps by their journals, receipts by their rows."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from bot.chaos.checker.book import Book, Row, digest_of, part
from bot.chaos.checker.world import Effect

EFFECT_TAG: Final = "signoff/effect/v1"
ENDED: Final = frozenset({"step.finished", "step.failed"})


def repeated_for_good(book: Book) -> Iterator[str]:
    """Irreversible steps that were begun again although the one before may have had its effect."""
    for run, entries in book.journals.items():
        last: dict[str, str] = {}
        for entry in entries:
            path, kind = str(entry["path"]), entry["kind"]
            is_once = kind == "step.begun" and entry["data"].get("irreversible")
            if not is_once and path not in last:
                continue
            where = f"I3: {entry['name']} of {run}, position {entry['position']}"
            yield from _wrong(where, entry, last.get(path, ""))
            last[path] = _standing(entry) or last.get(path, "")


def undone_for_good(book: Book) -> Iterator[str]:
    """Undos that may be done once and were begun again, though nobody said what became of the first."""
    for run, entries in book.journals.items():
        once = {
            entry["path"]
            for entry in entries
            if entry["kind"] == "step.begun"
            and part(entry["data"], "undo_terms").get("irreversible")
        }
        open_at: set[str] = set()
        for entry in entries if once else ():
            path, kind = entry["path"], entry["kind"]
            if kind == "compensation.begun" and path in once:
                if path in open_at:
                    where = f"position {entry['position']}"
                    yield f"I3: the undo of {entry['name']} of {run}, {where}: begun again"
                open_at.add(path)
            elif kind == "compensation.retried":
                open_at.clear()
            elif kind in {"compensation.failed", "compensation.finished"}:
                open_at.discard(path)


def called_too_often(book: Book, effects: Sequence[Effect]) -> Iterator[str]:
    """Irreversible steps that were called more often than their journals say they were begun."""
    begun = Counter(
        (run, str(entry["path"]))
        for run, entries in book.journals.items()
        for entry in entries
        if entry["kind"] == "step.begun" and entry["data"].get("irreversible")
    )
    called = Counter(effect.place for effect in effects if not effect.is_undo)
    for (run, path), allowed in begun.items():
        if called[run, path] > allowed:
            yield f"I3: {run}:{path} may happen once and was called {called[run, path]} times"


def wrong_receipts(book: Book) -> Iterator[str]:
    """Receipts that no sequence of claims can have left behind."""
    known = {(row["tenant"], row["namespace"], row["request_id"]): row for row in book["receipts"]}
    artifacts = {(row["tenant"], row["hash"]) for row in book["artifacts"]}
    for row in book["receipts"]:
        what = f"I3: receipt {row['request_id']}"
        if row["fingerprint"] != _fingerprint(row):
            yield f"{what} is of another effect than its fingerprint"
        if row["state"] == "alias":
            first = known.get((row["tenant"], row["namespace"], row["same_as"]))
            yield from _wrong_alias(what, row, first)
        elif row["state"] == "claimed" and (row["token"] is None or row["attempts"] < 1):
            yield f"{what} is claimed by nobody"
        if row["artifact"] is not None and (row["tenant"], row["artifact"]) not in artifacts:
            yield f"{what} has a result that is not kept"
        asked = book.approvals.get(row["approval"]) if row["approval"] else None
        if row["approval"] and (asked is None or asked["status"] != "approved"):
            yield f"I1: receipt {row['request_id']} was granted without {row['approval']}"


def made_too_often(book: Book, made: Sequence[str]) -> Iterator[str]:
    """Effects under receipts that differ from what the receipts say; `made` has a name for each time."""
    states = {row["request_id"]: row["state"] for row in book["receipts"]}
    for request, count in Counter(made).items():
        if count > 1:
            yield f"I3: {request} was made {count} times under one receipt"
        if states.get(request, "failed_no_effect") == "failed_no_effect":
            yield f"I3: {request} was made, and its receipt says {states.get(request, 'nothing')}"
    for request in sorted({name for name, state in states.items() if state == "succeeded"}):
        if request not in made:
            yield f"I3: receipt {request} says that it happened, and it never did"


def _wrong(where: str, entry: Row, before: str) -> Iterator[str]:
    kind, data = entry["kind"], entry["data"]
    if kind == "step.begun" and before not in {"", "nothing happened"}:
        yield f"{where}: begun again, and the one before {before}"
    elif kind in ENDED and before == "is unknown":
        yield f"{where}: {kind}, and nobody settled what was unknown"
    elif kind == "effect.settled" and not data.get("by"):
        yield f"{where}: settled by nobody"


def _standing(entry: Row) -> str | None:
    """What is known of the newest attempt after this entry; None where the entry tells nothing of it."""
    data = entry["data"]
    match entry["kind"]:
        case "step.begun":
            return "may have happened"
        case "effect.unknown":
            return "is unknown"
        case "effect.settled":
            return "is settled"
        case "step.finished":
            return "happened"
        case "step.failed":
            return "nothing happened" if data.get("no_effect") else "failed for good"
        case _:
            return None


def _wrong_alias(what: str, row: Row, first: Row | None) -> Iterator[str]:
    if first is None or first["state"] == "alias":
        yield f"{what} is another name of {row['same_as']}, which is none"
    elif (first["fingerprint"], first["execution"]) != (row["fingerprint"], row["execution"]):
        yield f"{what} is another name of {row['same_as']}, which is another effect"


def _fingerprint(row: Row) -> str:
    said = (
        f'{{"action":{json.dumps(row["action"], ensure_ascii=False)},"payload":{row["payload"]}}}'
    )
    return digest_of(f"{EFFECT_TAG}\n{said}")
