"""Consent (I1, I2, I6): every decision is counted again from the votes, and every answer given is kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chaos.checker.agreed import meaning
from bot.chaos.checker.book import Book, Row, rung

IDENTITIES = {"email", "slack"}
ADDING = ("widen to ", "escalate to ")


@dataclass(frozen=True, kw_only=True)
class Acked:
    """A vote that its voter was told is recorded, and what they were told of the approval."""

    approval: str
    person: str
    choice: str
    status: str
    door: str = "a door"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What counts towards one decision: the latest choice of each person, and who may choose.

    `agreeing` is what each of them wants to be changed.
    """

    latest: Mapping[str, str]
    agreeing: Mapping[str, str]
    pool: frozenset[str]
    excluded: frozenset[str]

    def choosing(self, choice: str) -> set[str]:
        """Who counts with this choice."""
        those = {person for person, chosen in self.latest.items() if chosen == choice}
        return (those & self.pool) - self.excluded

    def approving(self, changes: str) -> set[str]:
        """Who counts with consent to exactly these changes; other ones do not add up."""
        return {each for each in self.choosing("approve") if self.agreeing[each] == changes}


def unfounded(book: Book) -> Iterator[str]:
    """Decisions that the votes do not bear out."""
    for approval in book.approvals.values():
        decision = approval["decision"]
        if decision is None:
            continue
        counted = _counted(book, approval)
        barred = set(decision["by"]) & counted.excluded
        if barred and decision["outcome"] != "cancelled":
            yield f"I1: {approval['id']} was decided by {sorted(barred)}, who never count"
        quorum = json.loads(approval["content"])["policy"]["quorum"]
        yield from _judged(approval, decision, counted, quorum, book)


def lost(book: Book, acked: Sequence[Acked]) -> Iterator[str]:
    """Votes that somebody was told are recorded, and that are not."""
    kept = {
        (vote["approval"], vote["person"], vote["choice"])
        for vote in book["votes"]
        if not vote["is_late"]
    }
    outcomes = {
        (entry["data"]["approval"], entry["data"]["outcome"])
        for entries in book.journals.values()
        for entry in entries
        if entry["kind"] == "approval.decided"
    }
    for each in acked:
        if (each.approval, each.person, each.choice) not in kept:
            yield (
                f"I2: {each.person}'s {each.choice} on {each.approval} was recorded by {each.door} "
                "and is lost"
            )
        if each.status != "open" and (each.approval, each.status) not in outcomes:
            yield f"I2: {each.person} was told {each.approval} is {each.status}, and it never was"


def _judged(
    approval: Row, decision: Mapping[str, Any], counted: Counted, quorum: Row, book: Book
) -> Iterator[str]:
    name, rule, outcome = approval["id"], decision["rule"], decision["outcome"]
    approving = counted.approving(meaning(decision["changes"]))
    if rule == "quorum":
        if not set(decision["by"]) <= approving:
            yield f"I1: {name} was approved by people who did not approve"
        if not _is_reached(book, quorum, approving, counted.pool):
            yield f"I1: {name} was approved by {sorted(approving)}: no quorum"
        if len(counted.choosing("reject")) >= quorum["reject"]:
            yield f"I5: {name} was approved over enough rejections"
    elif rule == "reject_quorum":
        if len(counted.choosing("reject")) < quorum["reject"]:
            yield f"I1: {name} was rejected without enough rejections"
    elif rule.startswith("rung: "):
        yield from _judged_rung(approval, rule.removeprefix("rung: "), outcome)
    elif outcome == "approved":
        yield f"I1: {name} was approved because of {rule!r}"


def _judged_rung(approval: Row, text: str, outcome: str) -> Iterator[str]:
    if text not in json.loads(approval["ladder"]):
        yield f"I1: {approval['id']} was ended by {text!r}, which is no rung of it"
    deed = rung(text).deed
    expected = {"reject": "expired", "approve": "approved", "rollback": "rollback"}
    if outcome != expected.get(deed, "continued"):
        yield f"I1: {approval['id']} is {outcome} because of {text!r}"
    if deed == "approve" and approval["risk"] != "low":
        yield f"I1: {approval['id']} approved itself at {approval['risk']} risk"


def _counted(book: Book, approval: Row) -> Counted:
    content = json.loads(approval["content"])
    latest: dict[str, str] = {}
    agreeing: dict[str, str] = {}
    pool = _people(book, content["approvers"])
    for entry in book.journals.get(approval["run"], []):
        data, kind = entry["data"], entry["kind"]
        if data.get("approval") != approval["id"]:
            continue
        if kind == "vote.recorded" and data["version"] == approval["version"]:
            latest[data["person"]] = data["choice"]
            agreeing[data["person"]] = meaning(data.get("changes"))
        elif kind == "rung.fired" and data["text"].startswith(ADDING):
            added = rung(data["text"]).deed.partition(" to ")[2]
            pool |= _people(book, added.split(", "))
    excluded = {*json.loads(approval["excluded"])}
    if approval["requester"].startswith("person:"):
        excluded.add(approval["requester"].removeprefix("person:"))
    return Counted(
        latest=latest, agreeing=agreeing, pool=frozenset(pool), excluded=frozenset(excluded)
    )


def _people(book: Book, written: Sequence[str]) -> set[str]:
    active = {row["id"] for row in book["people"] if row["is_active"]}
    found: set[str] = set()
    for text in written:
        kind, _, value = text.partition(":")
        if kind == "person":
            found.add(value)
        elif kind in IDENTITIES:
            rows = book.where("identities", kind=kind, value=value)
            found |= {row["person"] for row in rows}
        else:
            found |= {row["person"] for row in book.where("members", kind=kind, name=value)}
    return found & active


def _is_reached(book: Book, quorum: Row, approving: set[str], pool: frozenset[str]) -> bool:
    if quorum["need"] is not None:
        return len(approving) >= int(quorum["need"])
    places = [group for group, need in quorum["groups"] for _ in range(need)]
    groups = {group: _people(book, [f"group:{group}"]) for group in set(places)}
    added = pool - set[str]().union(*groups.values())
    return _is_filled(places, {name: people | added for name, people in groups.items()}, approving)


def _is_filled(places: list[str], groups: Mapping[str, set[str]], approving: set[str]) -> bool:
    # Tries every assignment; the groups of these tests are small.
    if not places:
        return True
    first, *rest = places
    return any(
        _is_filled(rest, groups, approving - {person}) for person in approving & groups[first]
    )
