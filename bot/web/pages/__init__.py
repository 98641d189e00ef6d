"""The pages that people open in a browser."""

from fastapi import APIRouter

from bot.web.pages import (
    approvals,
    budgets,
    bulk,
    cases,
    definitions,
    docs,
    halting,
    inbox,
    outbox,
    record,
    respond,
    runs,
    sign_in,
    welcome,
)

# `/approvals/list` and `/approvals/bulk` come before `/approvals/{id}`.
ROUTERS: tuple[APIRouter, ...] = (
    welcome.router,
    inbox.router,
    bulk.router,
    approvals.router,
    runs.router,
    cases.router,
    definitions.router,
    outbox.router,
    halting.router,
    budgets.router,
    record.router,
    sign_in.router,
    respond.router,
    docs.router,
)
