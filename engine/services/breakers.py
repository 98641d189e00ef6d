"""Targets of HTTP steps: whether they may be called now, and what became of a call."""

from datetime import datetime

import structlog

from engine.ids import TenantId
from engine.rules import breaker
from engine.rules.breaker import Breaker, BreakerState
from engine.store import breakers
from engine.store.database import Transaction

log = structlog.get_logger("engine.services")


def is_closed(tx: Transaction, tenant: TenantId, target: str) -> bool:
    """Whether everybody may call the target; reads alone, and is the answer nearly always."""
    return breakers.get(tx, tenant, target).state(tx.now) is BreakerState.CLOSED


def admit(tx: Transaction, tenant: TenantId, target: str) -> datetime | None:
    """None if the target may be called now, by whoever asked; else when to ask again."""
    known = breakers.locked(tx, tenant, target)
    admission = breaker.admit(known, tx.now)
    breakers.keep(tx, tenant, target, admission.breaker)
    return admission.again_at


def failed(tx: Transaction, tenant: TenantId, target: str) -> None:
    """The target gave no answer, or one that says that it is broken."""
    _note(tx, tenant, target, is_well=False)


def answered(tx: Transaction, tenant: TenantId, target: str) -> None:
    """The target works."""
    _note(tx, tenant, target, is_well=True)


def is_new(tx: Transaction, tenant: TenantId, target: str) -> bool:
    """Whether nothing is held against the target, so that an answer of it need not be noted."""
    return breakers.get(tx, tenant, target) == Breaker()


def _note(tx: Transaction, tenant: TenantId, target: str, *, is_well: bool) -> None:
    before = breakers.locked(tx, tenant, target)
    after = breaker.ended(before, tx.now, is_well=is_well)
    breakers.keep(tx, tenant, target, after)
    was, now = before.state(tx.now), after.state(tx.now)
    if now is BreakerState.OPEN and was is not BreakerState.OPEN:
        log.warning("breaker.opened", target=target, failures=after.failures)
    if now is BreakerState.CLOSED and was is not BreakerState.CLOSED:
        log.info("breaker.closed", target=target)
