"""The names people import: workflows to write, approvals to ask for, and how they end."""

from importlib.metadata import version
from typing import Final

from signoff.calls import Call
from signoff.client import Client, ask
from signoff.errors import SignoffError
from signoff.outcomes import (
    Cancelled,
    ChangesRequested,
    Decision,
    Expired,
    NoEffect,
    Rejected,
    StepFailed,
)
from signoff.registry import workflow
from signoff.running import Run, StepInfo

__version__: Final = version("signoff")

__all__ = [
    "Call",
    "Cancelled",
    "ChangesRequested",
    "Client",
    "Decision",
    "Expired",
    "NoEffect",
    "Rejected",
    "Run",
    "SignoffError",
    "StepFailed",
    "StepInfo",
    "__version__",
    "ask",
    "workflow",
]
