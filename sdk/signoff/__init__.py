"""The names people import: workflows to write, approvals to ask for, and how they end."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from signoff.calls import Call
from signoff.errors import SignoffError
from signoff.outcomes import (
    BudgetExceeded,
    Cancelled,
    ChangesRequested,
    ChildFailed,
    Decision,
    Expired,
    NoEffect,
    Rejected,
    StepFailed,
)
from signoff.registry import workflow
from signoff.running import Run, StepInfo
from signoff.tasks import task
from signoff.undoing import Compensation, HttpUndo

if TYPE_CHECKING:
    from signoff.client import Client, ask

__version__: Final = version("signoff")

__all__ = [
    "BudgetExceeded",
    "Call",
    "Cancelled",
    "ChangesRequested",
    "ChildFailed",
    "Client",
    "Compensation",
    "Decision",
    "Expired",
    "HttpUndo",
    "NoEffect",
    "Rejected",
    "Run",
    "SignoffError",
    "StepFailed",
    "StepInfo",
    "__version__",
    "ask",
    "task",
    "workflow",
]


def __getattr__(name: str) -> object:
    # Workers never call themselves: the HTTP client, half of what is slow, comes when asked for.
    if name in {"Client", "ask"}:
        from signoff import client

        return getattr(client, name)
    raise AttributeError(f"module 'signoff' has no attribute {name!r}")
