"""Draws a rollback in a terminal: the plan before anybody votes, and the report after it."""

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from bot.cli.approval_shapes import Plan
from bot.cli.shapes import Rollback, Step
from channels.visible import visible


def plan_tree(plan: Plan, heading: str, *, goes_on: bool = False) -> Tree:
    """What a rollback would do: the undoes in their order, and what stays."""
    then = ", and on from there" if goes_on else ""
    drawn = Tree(Text(f"{heading} back to {place(plan.to)}{then}"))
    for number, each in enumerate(plan.undoes, start=1):
        asks = f", once {_needed(each.needs)} agrees" if each.needs else ""
        drawn.add(Text(visible(f"{number}. ↶ undoes {each.step}{asks}"), style="magenta"))
    for stays in plan.stays:
        drawn.add(Text(visible(f"– {stays.step} stays: {stays.why}"), style="dim"))
    if not plan.undoes:
        drawn.add(Text("nothing is undone", style="dim"))
    return drawn


def report_tree(rollback: Rollback, *, is_rehearsal: bool = False) -> Tree:
    """What a rollback did, and what it could not do; in a sandbox what it would have done."""
    undone = "would have been undone" if is_rehearsal else "undone"
    share = f"{rollback.completion:.0%} {undone}"
    began = "Went back" if rollback.ended_at is not None else "Going back"
    then = ", and went on" if rollback.ended_at is not None and rollback.mode == "resume" else ""
    drawn = Tree(Text(f"{began} to {place(rollback.to or 'start')}{then}: {share}"))
    for line in rollback.cleanup:
        drawn.add(Text(visible(f"↶ {line}"), style="magenta"))
    for step in rollback.compensations:
        if step.status == "failed":
            drawn.add(Text(visible(_failed(step)), style="red"))
    for name in rollback.left:
        drawn.add(Text(visible(f"✗ not undone: {name}"), style="red"))
    return drawn


def place(to: str) -> str:
    """What people call the place."""
    return "the start" if to == "start" else f"checkpoint {visible(to)}"


def _failed(step: Step) -> str:
    return f"✗ {step.name} could not be undone in {step.attempts} attempts: {step.error or ''}"


def _needed(needs: str | Sequence[str]) -> str:
    return needs if isinstance(needs, str) else ", ".join(needs)
