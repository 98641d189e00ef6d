"""Draws runs and approvals in a terminal: marks with words beside them, so that no colour is needed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli.listing import Listing
from bot.cli.rollback_trees import plan_tree, report_tree
from bot.cli.shapes import Approval, Decision, Difference, Run, Share, Step, Vote
from bot.cli.standings import waits, way_out
from bot.cli.sums import sums
from bot.cli.trees import run_tree
from channels.calls import call_home, call_text
from channels.saying import said, text_of
from channels.visible import visible

_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "finished": ("✓", "green"),
    "completed": ("✓", "green"),
    "approved": ("✓", "green"),
    "approve": ("✓", "green"),
    "failed": ("✗", "red"),
    "rejected": ("✗", "red"),
    "reject": ("✗", "red"),
    "expired": ("✗", "red"),
    "dead": ("✗", "red"),
    "cancelled": ("–", "dim"),
    "skipped": ("–", "dim"),
    "abstain": ("–", "dim"),
    "waiting": ("…", "yellow"),
    "open": ("…", "yellow"),
    "pending": ("…", "yellow"),
    "request_changes": ("?", "yellow"),
    "changes_requested": ("?", "yellow"),
    "begun": ("▸", "cyan"),
    "running": ("▸", "cyan"),
    "rolling_back": ("↶", "magenta"),
    "rolled_back": ("↶", "magenta"),
}
_UNDONE: Final = ("↶", "magenta")
_BAR: Final = 10
_VALUE_CHARS_MAX: Final = 2_000


def moment(at: datetime | None) -> str:
    """`at` in UTC, to the second; a dash where there is none."""
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(at: str) -> str:
    """A moment as the API writes it, as people read it."""
    return moment(datetime.fromisoformat(at))


def spent(began: datetime, ended: datetime | None) -> str:
    """How long something took; empty while it is not over."""
    return "" if ended is None else f"{(ended - began).total_seconds():.2f} s"


def value(item: object) -> str:
    """A JSON value on one line, cut where it is very long."""
    text = text_of(item)
    if len(text) <= _VALUE_CHARS_MAX:
        return text
    return f"{text[:_VALUE_CHARS_MAX]}… ({len(text)} characters; --json has all)"


def marked(status: str) -> Text:
    """A status with its mark."""
    mark, colour = _MARKS.get(status, ("·", ""))
    return Text(f"{mark} {_word(status)}", style=colour)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Listing:
    """A table without lines, or a block for each row where it is too narrow; text is shown as what it is."""
    return Listing(columns=columns, rows=[[_text(cell) for cell in row] for row in rows])


def run_picture(run: Run) -> RenderableType:
    """The run from its input to its end, step by step."""
    parts: list[RenderableType] = [_facts(_run_facts(run))]
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


def approval_picture(approval: Approval) -> RenderableType:
    """The approval with all that is asked, how the votes stand, and what comes next."""
    facts: list[tuple[str, str | Text]] = [
        ("approval", approval.id),
        ("title", Text(visible(approval.title), style="bold")),
        ("status", marked(approval.status)),
        ("action", f"{approval.action}, {approval.risk} risk, asked by {_asked_by(approval)}"),
        ("opened", f"{moment(approval.opened_at)}, version {approval.version}"),
        ("run", _place(approval)),
        *_children(approval),
        ("digest", approval.digest),
    ]
    if approval.call is not None:
        facts.append(("call", _call(approval.call)))
    facts += [(f"  {label}", value(item)) for label, item in approval.details.items()]
    if approval.fields and approval.status == "open":
        facts.append(("may change", ", ".join(approval.fields)))
    facts += [("changed", _change(each)) for each in approval.differences]
    facts += _progress(approval)
    if approval.status == "open":
        facts += [
            (f"{', '.join(each.by)} with", _change(change))
            for each in approval.outcomes
            for change in each.differences
        ]
    if approval.status == "open":
        facts += _what_comes(approval)
    elif approval.decision is not None:
        facts.append(("decided", _decision(approval.decision)))
    facts += [
        ("shown", f"{each.channel} {each.target}: {each.state}") for each in approval.messages
    ]
    parts: list[RenderableType] = [_facts(facts)]
    if approval.votes:
        parts += [Text(), _votes(approval.votes)]
    plan = approval.plan
    if approval.status == "open" and plan is not None and (plan.undoes or plan.stays):
        goes_on = approval.on_reject == "resume"
        parts += [Text(), plan_tree(plan, "Rejecting goes", goes_on=goes_on)]
    return Group(*parts)


def _place(approval: Approval) -> str:
    """Its run; and who started that, from the root on."""
    path = [f"{each['workflow']} {each['id']}" for each in approval.tree]
    return " > ".join(path) or approval.run


def _children(approval: Approval) -> Iterable[tuple[str, str]]:
    if (found := approval.children) is not None:
        yield "children", f"{found.done} of {found.all} of {found.of} done"


def _asked_by(approval: Approval) -> str:
    claimed = "" if approval.requester_is_verified else " (a name that was not verified)"
    return f"{approval.requester_name or approval.requester}{claimed}"


def _change(change: Difference) -> str:
    old, new = value(change.old), value(change.new)
    return visible(said(change.field, old, new).replace("\n", "; "))


def _progress(approval: Approval) -> Iterable[tuple[str, Text]]:
    progress = approval.progress
    yield "approve", _bar(progress.approve)
    for group in progress.groups:
        yield f"  {group.name}", _bar(group)
    yield "reject", Text(f"{progress.reject.have} of {progress.reject.need} would end it")


def _what_comes(approval: Approval) -> Iterable[tuple[str, str]]:
    if approval.progress.can_still:
        yield "waits for", ", ".join(approval.progress.can_still)
    if approval.next_rung is not None:
        yield "next", f"{approval.next_rung.text}, at {moment(approval.next_rung.due_at)}"
    if approval.expires_at is not None:
        yield "ends", moment(approval.expires_at)


def _bar(share: Share) -> Text:
    full = _BAR if share.need == 0 else min(_BAR, _BAR * share.have // share.need)
    return Text(f"{'█' * full}{'░' * (_BAR - full)} {share.have} of {share.need}")


def _steps(steps: Sequence[Step], undone: str) -> Listing:
    def row(step: Step) -> Sequence[str | Text]:
        mark, colour = _MARKS.get(step.status, ("·", ""))
        if step.kind == "compensation" and step.status == "finished":
            mark, colour = _UNDONE
        word = undone if (mark, colour) == _UNDONE else _word(step.status)
        tries = "" if step.attempts <= 1 else f"{step.attempts} attempts"
        return (
            str(step.position),
            Text(f"{mark} {word}", style=colour),
            step.name,
            step.kind,
            " ".join(filter(None, (spent(step.started_at, step.ended_at), tries))),
            step.error or "",
        )

    ordered = sorted(steps, key=lambda step: step.position)
    return table(("at", "status", "name", "kind", "took", ""), [row(step) for step in ordered])


def _votes(votes: Sequence[Vote]) -> Listing:
    def note(vote: Vote) -> str:
        if vote.late:
            return "too late, does not count"
        return "" if vote.counted else "does not count any more"

    return table(
        ("vote", "person", "channel", "at", "", ""),
        [
            (
                marked(vote.choice),
                vote.person,
                vote.channel,
                moment(vote.at),
                f"“{vote.comment}”" if vote.comment else "",
                note(vote),
            )
            for vote in votes
        ],
    )


def _decision(decision: Decision) -> str:
    by = ", ".join(decision.by) or "nobody"
    comment = f": “{decision.comment}”" if decision.comment else ""
    return f"{_word(decision.outcome)} by {by} at {moment(decision.at)}{comment}"


def _call(call: Mapping[str, Any]) -> str:
    return f"{value(call_text(call))} of {call_home(call)}"


def _facts(facts: Iterable[tuple[str, str | Text]]) -> Table:
    drawn = Table(box=None, pad_edge=False, show_header=False)
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for label, fact in facts:
        # On one line, so that no label from outside can look like one of ours.
        drawn.add_row(Text(visible(label).replace("\n", "⟨U+000A⟩")), _text(fact))
    return drawn


def _word(status: str) -> str:
    return status.replace("_", " ")


def _text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(visible(cell))
