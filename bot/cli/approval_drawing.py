"""Draws an approval in a terminal: all that is asked, how the votes stand, and what comes next."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from bot.cli.approval_shapes import Approval, Decision, Share, Vote
from bot.cli.drawing import facts_table, marked, moment, table, value, word
from bot.cli.filled import answers, asked, granted, proposed
from bot.cli.listing import Listing
from bot.cli.rollback_trees import plan_tree
from channels.calls import call_home, call_text
from channels.visible import visible

_BAR: Final = 10


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
    facts += [*asked(approval), *granted(approval), *_progress(approval), *proposed(approval)]
    if approval.status == "open":
        facts += _what_comes(approval)
    elif approval.decision is not None:
        facts.append(("decided", _decision(approval.decision)))
    facts += [
        ("shown", f"{each.channel} {each.target}: {each.state}") for each in approval.messages
    ]
    parts: list[RenderableType] = [facts_table(facts)]
    if approval.votes:
        parts += [Text(), _votes(approval)]
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


def _votes(approval: Approval) -> Listing:
    def note(vote: Vote) -> str:
        if vote.late:
            return "too late, does not count"
        return "" if vote.counted else "does not count any more"

    def filled(vote: Vote) -> str:
        return "; ".join(answers(approval, vote.form or {}))

    return table(
        ("vote", "person", "channel", "at", "", "", ""),
        [
            (
                marked(vote.choice),
                vote.person,
                vote.channel,
                moment(vote.at),
                f"“{vote.comment}”" if vote.comment else "",
                filled(vote),
                note(vote),
            )
            for vote in approval.votes
        ],
    )


def _decision(decision: Decision) -> str:
    by = ", ".join(decision.by) or "nobody"
    comment = f": “{decision.comment}”" if decision.comment else ""
    return f"{word(decision.outcome)} by {by} at {moment(decision.at)}{comment}"


def _call(call: Mapping[str, Any]) -> str:
    return f"{value(call_text(call))} of {call_home(call)}"
