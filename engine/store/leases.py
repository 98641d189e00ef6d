"""Leases on runs: who may drive which, for how long, and how often that came to nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, and_, bindparam, case, or_, select, update

from engine.errors import EngineError
from engine.ids import LeaseToken, RunId, WorkerId
from engine.rules.states import RunStatus
from engine.rules.suspicion import ANYBODY, CRASHES_MAX, Tries
from engine.store import journal, lineage, waiting
from engine.store.database import Transaction
from engine.store.lineage import Above
from engine.store.new_entry import NewEntry
from engine.store.prepared import Prepared
from engine.store.runs import DAMAGED, Claim, run_of
from engine.store.statements import Among, change, find_among
from engine.store.tables import runs
from engine.store.tenants import is_awake

log = structlog.get_logger("engine.store")

_IS_READY = and_(
    runs.c.ready_at <= bindparam("now"),
    or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at <= bindparam("now")),
)
_PIN = runs.c.workflow + "@" + runs.c.workflow_version
_READY = Among(
    select(runs.c.id, runs.c.tenant)
    .where(
        _IS_READY,
        runs.c.tries.between(bindparam("low"), bindparam("high")),
        is_awake(runs.c.tenant),
    )
    .order_by(runs.c.ready_at, runs.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, key_share=True),
    _PIN,
)
_TAKE = Prepared(
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        lease_token=bindparam("token"),
        lease_holder=bindparam("holder"),
        lease_expires_at=bindparam("until"),
        tries=runs.c.tries + 1,
    )
)
_GIVE_BACK = (
    update(runs)
    .where(runs.c.id == bindparam("run"), runs.c.lease_token == bindparam("token"))
    .values(
        lease_token=None,
        lease_holder=None,
        lease_expires_at=None,
        tries=case((runs.c.tries > 0, runs.c.tries - 1), else_=0),
    )
)
# Whoever took it up since is at its own try: that one stays.
_ABSOLVE = (
    update(runs)
    .where(
        runs.c.id == bindparam("run"), runs.c.lease_token != bindparam("token"), runs.c.tries > 1
    )
    .values(tries=runs.c.tries - 1)
)
_SUSPECTS = Among(
    select(runs.c.tries).where(_IS_READY, runs.c.tries > 0, is_awake(runs.c.tenant)).distinct(),
    _PIN,
)


def pin(workflow: str, version: str) -> str:
    """How one version of a workflow is named, to those who look for its runs."""
    return f"{workflow}@{version}"


def claim(
    tx: Transaction,
    *,
    worker: WorkerId,
    workflows: Sequence[str],
    lease_for: timedelta,
    limit: int,
    tries: Tries = ANYBODY,
) -> list[Claim]:
    """Lease up to `limit` ready runs of `workflows` to `worker`, the longest-waiting first, journals included.

    `workflows` are as `pin` names them. A run is ready when its `ready_at` has come and nobody holds it,
    or its lease ran out at or before now; only those are meant that were taken up in vain as often as
    `tries` says, and this counts as once more until they get somewhere.
    Safe to call from many workers at once: no run is ever handed to two. One that cannot be read is
    handed to nobody and holds up no other: it is looked at again when its lease has run out.
    """
    given: dict[str, object] = {
        "now": tx.now,
        "low": tries.low,
        "high": tries.high,
        "limit": limit,
    }
    rows: Sequence[Any] = (
        waiting.ready_runs(tx, {**given, "workflows": list(workflows)})
        if tx.is_guarded
        else _READY.rows(tx, workflows, given)
    )
    claims: list[Claim] = []
    for found in waiting.by_tenant(tx, rows):
        until = tx.now + lease_for
        claims += _taken(tx, [RunId(id) for id in found], worker=worker, until=until)
    order = {row.id: place for place, row in enumerate(rows)}
    return sorted(claims, key=lambda each: order[each.run.id])


def _taken(
    tx: Transaction, found: Sequence[RunId], *, worker: WorkerId, until: datetime
) -> list[Claim]:
    """The lease on each of these runs of one tenant."""
    tokens = {run: LeaseToken(tx.ids.new("lease")) for run in found}
    held = [{"run": run, "token": tokens[run], "holder": worker, "until": until} for run in found]
    _TAKE.run_all(tx, held)
    rows = {RunId(row.id): row for row in find_among(tx, runs, {}, among={"id": found})}
    uppers = lineage.of_each(tx, [row.parent for row in rows.values()])
    try:
        journals = journal.entries_of(tx, found)
        return [
            Claim(
                run=run_of(rows[run]),
                token=tokens[run],
                entries=journals[run],
                above=uppers[rows[run].parent],
            )
            for run in found
        ]
    except DAMAGED:
        claims = [_readable(tx, rows[run], tokens[run], uppers) for run in found]
        return [each for each in claims if each is not None]


def _readable(
    tx: Transaction, row: Row[Any], token: LeaseToken, uppers: Mapping[str | None, Above]
) -> Claim | None:
    try:
        read = journal.entries(tx, RunId(row.id))
        return Claim(run=run_of(row), token=token, entries=read, above=uppers[row.parent])
    except DAMAGED:
        log.exception("run.damaged", run=row.id)
        return None


def begin_each(tx: Transaction, claims: Sequence[Claim]) -> dict[RunId, list[journal.Entry]]:
    """The first entries of those of one tenant's claims that had not begun.

    Of none, where one is alone or damaged: each is begun by itself then.
    """
    new = [each for each in claims if each.run.status is RunStatus.CREATED]
    fresh = [each.run.id for each in new if each.run.tries <= CRASHES_MAX]
    if len(fresh) < 2:
        return {}
    started = [NewEntry(kind="run.started")]
    try:
        return journal.append_each(tx, dict.fromkeys(fresh, started), drives=True)
    except (EngineError, *DAMAGED):
        return {}


def make_ready(tx: Transaction, run: RunId) -> None:
    """Have the run taken up at once."""
    change(tx, runs, {"id": run}, {"ready_at": tx.now})
    tx.hint("runs")


def renew(
    tx: Transaction, tokens: Mapping[RunId, LeaseToken], *, lease_for: timedelta
) -> set[RunId]:
    """Extend the leases that are still held; gives the runs that are not, whose drivers must stop."""
    lost: set[RunId] = set()
    for run in waiting.each_run(tx, tokens):  # in one order, so that two never wait for each other
        kept = {"lease_expires_at": tx.now + lease_for}
        if change(tx, runs, {"id": run, "lease_token": tokens[run]}, kept) == 0:
            lost.add(run)
    return lost


def suspects(tx: Transaction, *, workflows: Sequence[str]) -> set[int]:
    """How often those ready runs of `workflows` were taken up in vain that were so at all."""
    if tx.is_guarded:
        return waiting.suspects(tx, {"now": tx.now, "workflows": list(workflows)})
    return {row.tries for row in _SUSPECTS.rows(tx, workflows, {"now": tx.now})}


def give_back(
    tx: Transaction, tokens: Mapping[RunId, LeaseToken], *, is_blameless: bool = False
) -> int:
    """Hand claimed runs back as they are: others may take them up at once, and it counts as no try.

    A run whose lease is somebody else's by now stays with them. Where its former holder lives to say
    so and `is_blameless`, it was not the run that ended or blocked it, and that counts as no try either.
    Gives how many were handed back.
    """
    done = 0
    for run in waiting.each_run(tx, tokens):
        lease = {"run": run, "token": tokens[run]}
        if tx.connection.execute(_GIVE_BACK, lease).rowcount:
            done += 1
        elif is_blameless:
            tx.connection.execute(_ABSOLVE, lease)
    if done:
        tx.hint("runs")
    return done
