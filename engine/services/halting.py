"""Stopping: kill switches engaged and released, runs paused and killed. Nothing of it undoes anything."""

from dataclasses import dataclass
from typing import Final

import structlog

from engine.errors import Conflict, KillSwitchTriggered, NotAllowed, NotFound, Refused
from engine.ids import DEFAULT_TENANT, KeyId, LeaseToken, RunId, TenantId
from engine.rules.states import WaitingReason
from engine.rules.switches import EVERYTHING, parse_scope
from engine.rules.wording import BadRule, shown
from engine.store import (
    audit,
    electorates,
    holding,
    journal,
    keys,
    leases,
    notices,
    runs,
    stopping,
    switches,
)
from engine.store.database import Transaction
from engine.store.journal import NewEntry, RunChanges, released
from engine.store.keys import Caller
from engine.store.notices import Notice
from engine.store.switches import TOPIC, Switch, everybodys

__all__ = [
    "TOPIC",
    "Status",
    "Switch",
    "engage",
    "everybodys",
    "free_some",
    "hold_up",
    "kill",
    "pause",
    "release",
    "status",
    "warning",
]

FREED_AT_ONCE: Final = 200
RELEASED_BY: Final = 2  # people, where it is everything

log = structlog.get_logger("engine.services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is engaged for a tenant. `everything` is there for whoever runs the installation;
    others know from `is_halted` alone that they are stopped too.
    """

    switches: tuple[Switch, ...]
    is_halted: bool

    def to_json(self) -> dict[str, object]:
        """As the API answers."""
        return {"switches": [each.to_json() for each in self.switches], "halted": self.is_halted}


def status(tx: Transaction, tenant: TenantId) -> Status:
    """The tenant's switches that are engaged, and whether one stands above all of its runs."""
    known = switches.engaged(tx, tenant)
    return Status(
        switches=tuple(switches.of(tx, tenant)), is_halted=bool(known & {EVERYTHING, "tenant"})
    )


def engage(tx: Transaction, caller: Caller, scope: str, *, reason: str) -> Switch:
    """Let no step below `scope` begin from the commit of this deed on.

    What has begun by then comes to its end. Doing it again changes nothing but that a wish to release
    it is forgotten.

    Raises:
        BadRule: `bad_scope`. NotFound: for a run or a key that is not there.
        NotAllowed: `not_the_installation`, for `everything` by operators of one tenant alone.
    """
    found = _known(tx, caller, scope)
    home = switches.home_of(caller.tenant, found)
    switches.take_hold(tx)
    said = {"scope": found, "reason": reason, "by": caller.subject}
    is_new = switches.put(tx, home, found, by=caller.subject, reason=reason)
    audit.append(tx, home, "kill_switch.engaged", said)
    if is_new:
        _tell(tx, home, f"Kill switch engaged: {found}", f"{reason} No new step begins.")
        log.warning("switch.engaged", scope=found)
    return _engaged(tx, home, found)


def release(tx: Transaction, caller: Caller, scope: str, *, reason: str) -> Switch | None:
    """Let what is below `scope` go on; None once it does.

    For `everything` that takes two people by name: the first asks, and the switch is given back as
    it stays engaged; another one confirms.

    Raises:
        BadRule: `bad_scope`. Conflict: `not_engaged`.
        NotAllowed: `not_the_installation`. Refused: `person_needed`, `second_person_needed`, and
            `own_switch` for the very key that is stopped.
    """
    found = _known(tx, caller, scope, is_there=False)
    if caller.key is not None and found == f"agent:{caller.key}":
        raise Refused(
            "This key is what the switch stops, so it does not release it. Sign in, or use another key.",
            code="own_switch",
        )
    home = switches.home_of(caller.tenant, found)
    switches.take_hold(tx)
    switch = _engaged(tx, home, found)
    said = {"scope": found, "reason": reason, "by": caller.subject}
    if found == EVERYTHING and not _is_second(switch, caller):
        switches.ask_release(tx, switch, by=caller.subject)
        audit.append(tx, home, "kill_switch.release_asked", said)
        text = f"{reason} Another operator must confirm: `signoff kill-switch release {found}`."
        _tell(tx, home, f"Release of the kill switch asked: {found}", text)
        return _engaged(tx, home, found)
    switches.remove(tx, switch)
    audit.append(tx, home, "kill_switch.released", {**said, "asked_by": switch.release_asked_by})
    _tell(tx, home, f"Kill switch released: {found}", f"{reason} What waited goes on.")
    log.warning("switch.released", scope=found)
    return None


def warning(tx: Transaction, switch: Switch | None) -> str | None:
    """What whoever just engaged `switch` should know now: that nobody could release it, as things stand."""
    if switch is None or switch.scope != EVERYTHING:
        return None
    operators = electorates.members_of(tx, DEFAULT_TENANT, "role", "operator")
    if len(operators) >= RELEASED_BY:
        return None
    few = "there is one" if operators else "there is none"
    return (
        f"Releasing everything takes two operators, and {few}: nobody can release it before another "
        "person stands in operator, under [roles] in signoff.toml, and the server was started anew."
    )


def hold_up(tx: Transaction, tenant: TenantId, run: RunId, token: LeaseToken) -> None:
    """Give the lease back of a run that may not go on now: it is paused, or waits for the kill switch.

    Whether that is so is judged here; where it is not so any more, the run is taken up again soon.
    Those that are halted wait until `free_some` finds that no switch stands above them. It counts as no
    try, and no earlier one is forgotten: whoever is held up got nowhere.

    Raises:
        LeaseLost: if somebody else drives the run by now, or it has ended.
    """
    switches.keep_still(tx)
    row = runs.get(tx, tenant, run, lock=True)
    scope = switches.above_run(tx, tenant, run)
    if holding.is_held(row):
        leases.give_back(tx, {run: token})
        return
    changes = released(ready_at=tx.now if scope is None else None)
    changes["tries"] = max(0, row.tries - 1)
    halted = NewEntry(kind="run.halted", data={"scope": scope, "from": row.status})
    entries = [] if scope is None else [halted]
    journal.append(tx, run, entries, token=token, changes=changes)


def free_some(tx: Transaction) -> int:
    """Let runs go on that were halted and have no switch above them any more; gives how many.

    There may be more; call it until there are none. Whoever else does the same frees no run twice.
    """
    switches.keep_still(tx)
    freed = 0
    for tenant, run in switches.halted(tx, limit=FREED_AT_ONCE):
        tx.act_for(tenant)
        row = runs.get(tx, tenant, run, lock=True)
        if row.reason is WaitingReason.HALTED:
            data = {"to": holding.halted_from(tx, run)}
            is_paused = holding.is_held(row)
            changes = RunChanges(ready_at=None if is_paused else tx.now)
            journal.append(tx, run, [NewEntry(kind="run.freed", data=data)], changes=changes)
            freed += 1
    return freed


def pause(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> None:
    """Hold the run where it is. A driver that is inside a step writes down what comes of it, and stops.

    Raises:
        NotFound: if there is no such run.
        Conflict: `run_ended`, `already_paused`, or `asks_for_you`, if it waits for an operator already.
    """
    holding.hold(tx, runs.get(tx, tenant, run, lock=True), by=by, reason=reason)


def kill(tx: Transaction, tenant: TenantId, run: RunId, *, by: str, reason: str) -> tuple[str, ...]:
    """End the run at once, for good. Nothing is undone; gives the names of the steps that stay done.

    A driver that is inside a step finishes that call, and its result is no longer written. Approvals
    that are open are cancelled, and their messages say so.

    Raises:
        NotFound: if there is no such run. Conflict: `run_ended`.
    """
    return stopping.stop(
        tx,
        tenant,
        run,
        stopping.Stop(
            entry_kind="run.killed",
            code=KillSwitchTriggered.code,
            rule="run_killed",
            by=by,
            reason=reason,
        ),
    )


def _known(tx: Transaction, caller: Caller, text: str, *, is_there: bool = True) -> str:
    scope = parse_scope(text)
    kind, _, name = scope.partition(":")
    if scope == EVERYTHING and caller.tenant != DEFAULT_TENANT:
        raise NotAllowed(
            "Everything is the business of the installation's operators, who are of the tenant "
            "default. Use the scope tenant.",
            code="not_the_installation",
        )
    if kind == "run" and is_there:
        runs.get(tx, caller.tenant, RunId(name))
    return f"agent:{_key(tx, caller.tenant, name)}" if kind == "agent" else scope


def _key(tx: Transaction, tenant: TenantId, name: str) -> KeyId:
    """The key of this id, or the one of this name."""
    found = [row.id for row in keys.listing(tx, tenant) if name in {row.id, row.name}]
    if not found:
        raise NotFound(f"No API key is called {shown(name)}; `signoff keys list` shows them.")
    if len(found) > 1:
        raise BadRule("bad_scope", f"Several keys are called {shown(name)}; write the key's id.")
    return found[0]


def _engaged(tx: Transaction, home: TenantId, scope: str) -> Switch:
    switch = switches.get(tx, home, scope)
    if switch is None:
        raise Conflict(f"The kill switch for {scope} is not engaged.", code="not_engaged")
    return switch


def _is_second(switch: Switch, caller: Caller) -> bool:
    if caller.person is None:
        raise Refused(
            "Releasing everything takes two people by name: each signs in, by `signoff login` or in "
            "the browser, and releases it.",
            code="person_needed",
        )
    if switch.release_asked_by is None:
        return False
    if switch.release_asked_by == caller.subject:
        raise Refused(
            "You asked for the release yourself; another operator must confirm it. Operators are "
            "listed under [roles] in signoff.toml.",
            code="second_person_needed",
        )
    return True


def _tell(tx: Transaction, tenant: TenantId, title: str, text: str) -> None:
    notices.tell_operators(
        tx, tenant, Notice(event="kill_switch.changed", title=title, text=text, path="/kill-switch")
    )
