"""Kill switches (I15) and runs that were set aside (I20): while they hold, nothing begins."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.chaos.checker.book import Book, Row
from bot.chaos.checker.leases import DRIVERS, Drives

EVERYTHING: Final = "everything"
CRASHES_MAX: Final = 3  # a run that was lost so often is driven no more
SWITCHED: Final = {"kill_switch.engaged": True, "kill_switch.released": False}
BEGINS: Final = frozenset({"step.begun", "compensation.begun"})


@dataclass(frozen=True)
class Halt:
    """One time for which a switch was engaged; `until` is None while it still is."""

    tenant: str
    scope: str
    since: int
    until: int | None

    def stands_above(self, book: Book, run: Row) -> bool:
        """Whether the run is in its scope, or one of those that it belongs to."""
        if self.scope == EVERYTHING:
            return True
        agent = str(run["started_by"]).removeprefix("key:")
        scopes = {"tenant", f"agent:{agent}"}
        upper: Row | None = run
        while upper is not None:
            scopes |= {f"workflow:{upper['workflow']}", f"run:{upper['id']}"}
            upper = book.runs.get(upper["parent"])
        return self.tenant == run["tenant"] and self.scope in scopes

    def covers(self, moment: int) -> bool:
        """Whether it was engaged before this moment and released after it; at the very same is neither."""
        return self.since < moment and (self.until is None or moment < self.until)


def begun_while_halted(book: Book) -> Iterator[str]:
    """Entries that begin what the world sees, while a switch above their run was engaged.

    It compares moments, so it is for one that writes alone; where many do, `begun_after_halt` knows
    the order of the commits.
    """
    halts = list(_halts(_by_moment(book)))
    for run, entry in _beginnings(book) if halts else ():
        for halt in halts:
            if halt.covers(entry["at"]) and halt.stands_above(book, run):
                yield _told(run, entry["kind"], entry["position"], halt)


def begun_after_halt(book: Book, drives: Drives) -> Iterator[str]:
    """The same where many write: by the one order in which entries and switches were written."""
    changes = [(each.number, each.tenant, each.scope, each.is_engaged) for each in drives.switched]
    halts = list(_halts(changes))
    begun = {(run["id"], entry["position"]): run for run, entry in _beginnings(book)}
    for line in drives.written if halts else ():
        run = begun.get((line.run, line.position))
        for halt in halts if run is not None else ():
            if run is not None and halt.stands_above(book, run) and halt.covers(line.number):
                yield _told(run, line.kind, line.position, halt)


def wrong_switches(book: Book) -> Iterator[str]:
    """Switches that are engaged in the rows and released in the audit, or the other way round."""
    left = {(halt.tenant, halt.scope) for halt in _halts(_by_moment(book)) if halt.until is None}
    rows = {(row["tenant"], row["scope"]) for row in book["switches"]}
    for tenant, scope in sorted(left ^ rows):
        said = "engaged" if (tenant, scope) in left else "released"
        yield f"I15: by the audit of {tenant} the switch for {scope} is {said}, and the rows differ"


def driven_though_set_aside(book: Book) -> Iterator[str]:
    """Runs that were set aside and went on before somebody let them, or that should have been."""
    for run in book["runs"]:
        aside: int | None = None
        for entry in book.journals.get(run["id"], []):
            if entry["kind"] == "run.quarantined":
                aside = entry["position"]
            elif entry["kind"] in {"run.released", "rollback.started", "run.adopted"}:
                aside = None
            elif aside is not None and entry["kind"] in DRIVERS:
                where = f"position {entry['position']}"
                yield f"I20: run {run['id']} was set aside, and {entry['kind']} followed ({where})"
        is_held = run["lease_token"] is not None or run["ready_at"] is not None
        if run["reason"] == "quarantined" and is_held:
            yield f"I20: run {run['id']} was set aside, and may be taken up"
        if run["lease_token"] is not None and run["tries"] > CRASHES_MAX:
            yield f"I20: run {run['id']} is driven, and was lost {run['tries'] - 1} times"


def claimed_though_set_aside(drives: Drives) -> Iterator[str]:
    """Leases on runs that were set aside, by the one order of leases and entries."""
    aside: dict[str, str] = {}
    lines = [(each.number, "", each.run, each.kind) for each in drives.written]
    claims = [(each.number, each.who, each.run, "claim") for each in drives.changes if each.token]
    for _number, who, run, kind in sorted([*lines, *claims]):
        if kind == "run.quarantined":
            aside[run] = kind
        elif kind in {"run.released", "rollback.started"}:
            aside.pop(run, None)
        elif kind == "claim" and run in aside:
            yield f"I20: run {run} was set aside, and {who} took it up"


def _beginnings(book: Book) -> Iterator[tuple[Row, Row]]:
    """What begins what the world sees, but for what an operator ordered to be undone."""
    for name, run in book.runs.items():
        ordered: Mapping[str, object] = {}
        for entry in book.journals.get(name, []):
            if entry["kind"] == "rollback.started":
                ordered = entry["data"]
            is_ordered = entry["kind"] == "compensation.begun" and ordered.get("by") is not None
            if entry["kind"] in BEGINS and not is_ordered:
                yield run, entry


def _by_moment(book: Book) -> list[tuple[int, str, str, bool]]:
    """The changes of switches as the audits tell them."""
    lines = sorted(book["audit"], key=lambda line: (line["tenant"], line["position"]))
    return [
        (line["at"], line["tenant"], json.loads(line["data"])["scope"], SWITCHED[line["kind"]])
        for line in lines
        if line["kind"] in SWITCHED
    ]


def _halts(changes: Sequence[tuple[int, str, str, bool]]) -> Iterator[Halt]:
    since: dict[tuple[str, str], int] = {}
    for at, tenant, scope, is_engaged in changes:
        if is_engaged:
            since.setdefault((tenant, scope), at)
        elif (tenant, scope) in since:
            yield Halt(tenant, scope, since.pop((tenant, scope)), at)
    for (tenant, scope), at in since.items():
        yield Halt(tenant, scope, at, None)


def _told(run: Row, kind: str, position: int, halt: Halt) -> str:
    return (
        f"I15: {kind} of {run['id']}, position {position}, although the kill switch for {halt.scope} "
        "was engaged"
    )
