"""Every door for programs, in the order in which they are described, those that crowds come to first.

The framework tries one route after the other, and a hundred that do not fit cost more than the vote.
"""

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
    holds,
    outbox,
    people,
    permits,
    receipts,
    record,
    rolling_back,
    runs,
    secrets,
    settling,
    sign_ins,
    tenants,
    tracing,
    transitions,
    votes,
    watching,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    votes.router,
    hearing.router,
    runs.router,
    tracing.router,
    transitions.router,
    checkpoints.router,
    rolling_back.router,
    settling.router,
    receipts.router,
    permits.router,
    cases.router,
    halting.router,
    adopting.router,
    definitions.router,
    artifacts.router,
    asking.router,
    approvals.router,
    api_keys.router,
    secrets.router,
    outbox.router,
    budgets.router,
    record.router,
    people.router,
    holds.router,
    tenants.router,
    backups.router,
    sign_ins.router,
    events.router,
    watching.router,
)
