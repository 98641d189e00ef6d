"""Draws a run in a terminal: what it was given, each step, what it waits for, and what it undid."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bot.cli.approval_drawing import approval_picture
from bot.cli.drawing import UNDONE, facts_table, mark_of, marked, moment, spent, table, value, word
from bot.cli.listing import Listing
from bot.cli.rollback_trees import plan_tree, report_tree
from bot.cli.shapes import Run, Step
from bot.cli.standings import waits, way_out
from bot.cli.sums import sums
from bot.cli.trees import run_tree


def run_picture(run: Run) -> RenderableType:
    """The run from its input to its end, step by step."""
    parts: list[RenderableType] = [facts_table(_run_facts(run))]
    if run.steps:
        parts += [Text(), _steps(run.steps, "rehearsed" if run.sandbox else "undone")]
    if run.rollback is not None:
        parts += [Text(), report_tree(run.rollback, is_rehearsal=run.sandbox)]
    if run.above or run.children:
        parts += [Text(), run_tree(run)]
    for approval in run.approvals:
        if approval.status == "open":
            parts += [Text(), approval_picture(approval)]
    is_asked = any(approval.status == "open" for approval in run.approvals)
    if run.plan is not None and run.plan.undoes and not is_asked:
        parts += [Text(), plan_tree(run.plan, "A rollback would go")]
    return Group(*parts)


def _run_facts(run: Run) -> Iterable[tuple[str, str | Text]]:
    yield "run", run.id
    yield "workflow", f"{run.workflow}, version {run.version}"
    if run.sandbox:
        yield "sandbox", "none of its steps is done, and nothing is undone"
    yield "status", _standing(run)
    if run.held_up is not None:
        yield "held up", run.held_up
    for each in run.unknown:
        yield "unknown", f"{each.step}, under the request id {each.request_id}: {each.why}"
    if (said_so := way_out(run)) is not None:
        yield "to go on", said_so
    yield "started", f"{moment(run.created_at)} by {run.started_by_name or run.started_by}"
    yield "input", value(run.input)
    if run.ended_at is not None:
        yield "ended", f"{moment(run.ended_at)}, after {spent(run.created_at, run.ended_at)}"
    if run.result is not None:
        yield "result", value(run.result)
    if run.error is not None:
        yield "error", f"{run.error.get('message')} [{run.error.get('code')}]"
    if run.held is not None:
        yield "held", f"since {moment(run.held.at)}: {run.held.reason or 'no reason given'}"
    if run.rollback is not None:
        yield "rehearsed" if run.sandbox else "undone", f"because: {run.rollback.reason}"
    yield from sums(run)


def _standing(run: Run) -> Text:
    status = marked(run.status)
    if run.waiting_for is not None:
        status.append(f" {waits(run.waiting_for)}")
    return status


def _steps(steps: Sequence[Step], undone: str) -> Listing:
    def row(step: Step) -> Sequence[str | Text]:
        mark, colour = mark_of(step.status)
        if step.kind == "compensation" and step.status == "finished":
            mark, colour = UNDONE
        says = undone if (mark, colour) == UNDONE else word(step.status)
        tries = "" if step.attempts <= 1 else f"{step.attempts} attempts"
        return (
            str(step.position),
            Text(f"{mark} {says}", style=colour),
            step.name,
            step.kind,
            " ".join(filter(None, (spent(step.started_at, step.ended_at), tries))),
            step.error or "",
        )

    ordered = sorted(steps, key=lambda step: step.position)
    return table(("at", "status", "name", "kind", "took", ""), [row(step) for step in ordered])
