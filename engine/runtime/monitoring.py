"""Watches runs: every few seconds the monitors judge what is under way, and what one finds is done once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from engine.errors import EngineError, Invalid, Unavailable
from engine.ids import RunId, TenantId
from engine.rules.monitor import Monitor
from engine.runtime.snapshots import Told, snapshot
from engine.services import approvals, monitoring
from engine.services.approvals import Request
from engine.services.monitoring import Found, Spent
from engine.store import keys, runs
from engine.store.database import Database, Transaction
from engine.store.journal import Entry
from engine.store.runs import RunRow

LOOK_EVERY: Final = timedelta(seconds=5)
TOPIC: Final = "monitors"

log = structlog.get_logger("engine.runtime")


def unknown(_tx: Transaction, _row: RunRow) -> Mapping[str, int]:
    """What is known of budgets where nobody counts them."""
    return {}


class Watcher:
    """Any number of processes may watch the same runs: what one has done, no other does again."""

    def __init__(
        self,
        database: Database,
        monitors: Mapping[TenantId, Sequence[Monitor]],
        *,
        spent: Spent = unknown,
    ) -> None:
        self._database, self._spent = database, spent
        self._monitors = {tenant: each for tenant, each in monitors.items() if each}
        self._is_stopping = False

    async def watch(self) -> None:
        """Look again and again, until cancelled or stopped; without monitors there is nothing to do."""
        with self._database.hints.listen(TOPIC) as ear:
            while self._monitors and not self._is_stopping:
                await self.look()
                await ear.wait(LOOK_EVERY)

    def stop(self) -> None:
        """Look no further."""
        self._is_stopping = True
        self._database.hints.fire([TOPIC])

    async def look(self) -> int:
        """Judge every run that is under way; gives how many findings were acted on."""
        done = 0
        for tenant, monitors in self._monitors.items():
            try:
                done += await self._look_at(tenant, monitors)
            except Unavailable as error:
                log.warning("worker.store_away", reason=str(error))
            except Exception:  # border: one damaged row must not blind the monitors of all others
                log.exception("worker.fault")
        return done

    async def _look_at(self, tenant: TenantId, monitors: Sequence[Monitor]) -> int:
        database, after, done = self._database.of(tenant), None, 0
        while not self._is_stopping:
            look = partial(
                monitoring.look, tenant=tenant, monitors=monitors, spent=self._spent, after=after
            )
            page = await database.read(look)
            for found in page.found:
                done += await self._fire(database, tenant, found)
            for run, approval in page.agreed:
                await self._let_go(database, tenant, run, approval)
            if page.last is None:
                break
            after = page.last
        return done

    async def _fire(self, database: Database, tenant: TenantId, found: Found) -> bool:
        try:
            return await database.write(
                lambda tx: monitoring.fire(
                    tx, tenant, found, ask=partial(_ask, tenant=tenant, found=found), snapshot=_kept
                )
            )
        except Unavailable:
            raise
        except EngineError as error:
            log.warning("monitor.not_fired", run=found.run, reason=str(error))
            return False

    async def _let_go(
        self, database: Database, tenant: TenantId, run: RunId, approval: str
    ) -> None:
        await database.write(lambda tx: monitoring.let_go(tx, tenant, run, approval))


def _ask(tx: Transaction, *, tenant: TenantId, found: Found) -> str | None:
    """Ask the operators whether the run may go on; None where nobody can be asked but whoever is behind it."""
    run = runs.get(tx, tenant, found.run)
    request = Request(
        title=f"May run {found.run} of {found.workflow} go on?",
        action="monitor",
        approvers="role:operator",
        details={"run": found.run, "monitor": found.monitor.name, "found": found.finding.says},
        requester=f"workflow:{found.workflow}",
        excluded=run.involved | keys.makers(tx, tenant, [run.started_by]),
    )
    by = f"monitor:{found.monitor.name}"
    try:
        with tx.apart():
            return approvals.ask(tx, tenant, request, started_by=by, owner=None).id
    except Invalid:
        return None


def _kept(row: RunRow, entries: Sequence[Entry], name: str) -> Mapping[str, object]:
    return snapshot(row, entries, Told(name=name, state={}))
