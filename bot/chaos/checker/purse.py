"""Budgets (I15), added up again from the journals alone: never past the limit, and the rows say the same."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Final

from bot.chaos.checker.book import EPOCH, Book, Row
from bot.chaos.checker.spelling import micros_of

IMPLICIT: Final = frozenset({"calls", "steps", "seconds"})  # what a step takes without saying so
SETTLING: Final = frozenset({"step.finished", "step.failed"})
ENDED: Final = frozenset(
    {"run.completed", "run.failed", "run.rolled_back", "run.cancelled", "run.killed"}
)

Key = tuple[str, str, str]  # budget, period, unit
Held = dict[tuple[str, str], list[list[object]]]  # by run and call path: what is kept back for it


@dataclass
class Account:
    """One budget in one period and unit. `over` is how much steps cost more than they had asked."""

    reserved: int = 0
    spent: int = 0
    over: int = 0


@dataclass
class Sums:
    """All accounts, and what is kept back, at one point of the journals."""

    accounts: defaultdict[Key, Account] = field(
        default_factory=lambda: defaultdict[Key, Account](Account)
    )
    held: Held = field(default_factory=Held)


def overspent(book: Book) -> Iterator[str]:
    """Budgets that were exceeded at some moment, or whose rows are not what the journals add up to."""
    if not book["budgets"]:
        return
    sums, passed = Sums(), set[Key]()
    limits = {
        (row["budget"], row["period"], row["unit"]): row["cap"] + row["granted"]
        for row in book["usages"]
    }
    entries = sorted(
        (entry for journal in book.journals.values() for entry in journal),
        key=lambda entry: (entry["at"], entry["run"], entry["position"]),
    )
    # What happened at one moment is judged together: nothing tells which came first.
    for _at, together in groupby(entries, key=lambda entry: entry["at"]):
        for entry in together:
            _add(book, sums, entry)
        for key, account in sums.accounts.items():
            limit = limits.get(key)
            used = account.reserved + account.spent - account.over
            # What it was before is looked for only where it matters: that reads the whole audit.
            if limit is not None and used > limit and used > _limit_before(book, key):
                passed.add(key)
    yield from (f"I15: budget {_said(key)} was exceeded" for key in sorted(passed))
    yield from _differing(book, sums)


def _differing(book: Book, sums: Sums) -> Iterator[str]:
    rows = {(row["budget"], row["period"], row["unit"]): row for row in book["usages"]}
    for key in sorted(rows.keys() | sums.accounts.keys()):
        account, row = sums.accounts[key], rows.get(key)
        have = (0, 0) if row is None else (row["reserved"], row["spent"])
        if have != (account.reserved, account.spent):
            told = (account.reserved, account.spent)
            yield f"I15: budget {_said(key)} has {have} kept back and spent, its journals say {told}"
    for run in book["runs"]:
        kept = json.loads(run["reserved"] or "{}")
        held = {path: charges for (name, path), charges in sums.held.items() if name == run["id"]}
        if {path: each["charges"] for path, each in kept.items()} != held:
            yield f"I15: run {run['id']} has other amounts kept back than its journal says"


def _add(book: Book, sums: Sums, entry: Row) -> None:
    kind, data, place = entry["kind"], entry["data"], (entry["run"], str(entry["path"]))
    if kind == "budget.reserved" or (kind == "step.begun" and "withheld" in data):
        # A step that journals its beginning says there what is kept back for it.
        charges = data["charges"] if kind == "budget.reserved" else data["withheld"]["charges"]
        sums.held[place] = charges
        for budget, period, unit, reserved, _asked in charges:
            sums.accounts[budget, period, unit].reserved += reserved
    elif kind in SETTLING:
        charges = sums.held.pop(place, None)
        cost = micros_of(data.get("cost") or {})
        if charges is None:
            _charge_unasked(book, sums, entry, cost)
        else:
            _settle(sums, charges, cost)
    elif kind == "budget.settled":
        charges = sums.held.pop(place, [])
        _settle(sums, charges, {str(each[2]): _whole(each[4]) for each in charges})


def _settle(sums: Sums, charges: list[list[object]], cost: Mapping[str, int]) -> None:
    for budget, period, unit, reserved, asked in charges:
        account = sums.accounts[str(budget), str(period), str(unit)]
        spent = cost.get(str(unit), _whole(asked) if unit in IMPLICIT else 0)
        account.reserved -= _whole(reserved)
        account.spent += spent
        account.over += max(0, spent - _whole(reserved))


def _charge_unasked(book: Book, sums: Sums, entry: Row, cost: Mapping[str, int]) -> None:
    # It did not say beforehand that it would cost anything: it is counted where it belongs.
    if not cost:
        return
    run = book.runs[entry["run"]]
    root = run["root"] or run["id"]
    agent = entry["data"].get("agent") or str(run["started_by"]).removeprefix("key:")
    scopes = {"tenant", f"workflow:{run['workflow']}", f"run:{root}", f"agent:{agent}"}
    for budget in book.where("budgets", tenant=run["tenant"]):
        if budget["scope"] not in scopes or not _counted(book, budget, entry["at"]):
            continue
        for unit in json.loads(budget["limits"]).keys() & cost.keys():
            account = sums.accounts[budget["id"], _period(budget["per"], entry["at"], root), unit]
            account.spent += cost[unit]
            account.over += cost[unit]


def _counted(book: Book, budget: Row, at: int) -> bool:
    """Whether the budget was there at this moment, by the audit; one from a file has no line in it."""
    is_there = budget["origin"] != "api" and bool(budget["is_active"])
    for line in book.where("audit", tenant=budget["tenant"]):
        if line["kind"] in {"budget.set", "budget.removed"} and line["at"] <= at:
            said = json.loads(line["data"])
            if (said["scope"], said["per"]) == (budget["scope"], budget["per"]):
                is_there = line["kind"] == "budget.set"
    return is_there


def _limit_before(book: Book, key: Key) -> int:
    """The highest that the budget's cap ever was, by the audit: it may have been lowered since."""
    budget = next(iter(book.where("budgets", id=key[0])), None)
    highest = 0
    for line in book["audit"] if budget is not None else ():
        if line["kind"] == "budget.set" and budget is not None:
            said = json.loads(line["data"])
            if (said["scope"], said["per"]) == (budget["scope"], budget["per"]):
                highest = max(highest, micros_of(said["limit"]).get(key[2], 0))
    return highest if highest and budget is not None and budget["origin"] == "api" else 0


def _period(per: str, at: int, root: str) -> str:
    moment = EPOCH + timedelta(microseconds=at)
    match per:
        case "run":
            return root
        case "hour":
            return f"{moment:%Y-%m-%dT%H}"
        case "day":
            return f"{moment:%Y-%m-%d}"
        case "week":
            return f"week {moment - timedelta(days=moment.weekday()):%Y-%m-%d}"
        case "month":
            return f"{moment:%Y-%m}"
        case _:
            return "total"


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _said(key: Key) -> str:
    return " ".join(key)
