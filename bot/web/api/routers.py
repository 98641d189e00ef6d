"""Every door for programs, in the order in which they are described."""

from typing import Final

from fastapi import APIRouter

from bot.web.api import (
    adopting,
    api_keys,
    approvals,
    artifacts,
    asking,
    backups,
    budgets,
    cases,
    checkpoints,
    definitions,
    events,
    halting,
    hearing,
    outbox,
    receipts,
    record,
    rolling_back,
    runs,
    settling,
    sign_ins,
    tenants,
    tracing,
    votes,
    watching,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    runs.router,
    tracing.router,
    checkpoints.router,
    rolling_back.router,
    settling.router,
    receipts.router,
    cases.router,
    halting.router,
    adopting.router,
    definitions.router,
    artifacts.router,
    asking.router,
    approvals.router,
    votes.router,
    api_keys.router,
    outbox.router,
    budgets.router,
    record.router,
    tenants.router,
    backups.router,
    sign_ins.router,
    hearing.router,
    events.router,
    watching.router,
)
