"""What a terminal says of a run that does not move: what it waits for, and the verb that lets it go on."""

from collections.abc import Mapping
from typing import Final

from bot.cli.shapes import Run, Waiting

_FOR: Final[Mapping[str, str]] = {
    "timer": "for a moment",
    "branches": "in its branches",
    "reconcile": "to be settled",
    "budget": "for more budget",
    "halted": "behind a kill switch",
    "stuck": "and stuck",
    "changed": "for its code",
    "quarantined": "and set aside",
}
_WAY_OUT: Final[Mapping[str, str]] = {
    "reconcile": "Nobody knows whether a step happened. Look, then: signoff runs settle {run} --happened "
    "--reason … (or --did-not-happen)",
    "stuck": "Undoing a step keeps failing. Mend the cause, then: signoff runs retry {run} --reason … "
    "(or skip, or take-over)",
    "changed": "Its code asks for other things than its journal holds. signoff runs adopt {run} "
    "--to VERSION --reason …, or bring the code back and: signoff runs retry {run} --reason …",
    "quarantined": "It ended its worker three times. Mend the cause, then: signoff runs release {run} --reason …",
    "halted": "signoff kill-switch status says which one",
}


def waits(waiting: Waiting) -> str:
    """What it waits for, behind its status: `for approval apr_…`."""
    awaited = waiting.approval or waiting.child or ""
    return _FOR.get(waiting.reason) or f"for {waiting.reason} {awaited}".rstrip()


def way_out(run: Run) -> str | None:
    """What an operator does about it; None where it goes on by itself, or people are asked."""
    reason = "reconcile" if run.unknown else run.waiting_for and run.waiting_for.reason
    said = _WAY_OUT.get(reason or "")
    return None if said is None else said.format(run=run.id)
