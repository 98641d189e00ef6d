"""`signoff runs trace`: what of a run took how long and what it cost, as a tree, or as OTLP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from bot.cli import drawing
from bot.cli.connection import Url, doors, segment
from bot.cli.runs import RunId
from bot.cli.settling import verbs
from bot.cli.shape import Shape
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, show
from channels.visible import visible

__all__ = ["verbs"]


class Happening(Shape):
    """A moment within a span."""

    name: str
    at: datetime


class Span(Shape):
    """Something that took time."""

    id: str
    parent: str | None
    name: str
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    cost: str | None
    tokens: int | None
    events: Sequence[Happening] = ()


class Trace(Shape):
    """All of a run."""

    trace_id: str
    spans: Sequence[Span]


@verbs.command("trace", cls=Verb)
def show_trace(
    *,
    run: RunId,
    otlp: Annotated[
        bool, typer.Option("--otlp", help="Print it as OTLP in JSON, for a collector.")
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show what of a run took how long, and what it cost, with all that it started."""

    async def deed() -> None:
        path = f"/api/runs/{segment(run)}/trace"
        async with doors(url) as server:
            found: Any = await server.get(f"{path}/otlp" if otlp else path)
        if otlp or as_json:
            return print_json(found)
        return show(trace_tree(Trace.model_validate(found)))

    finish(deed())


def trace_tree(trace: Trace) -> Tree:
    """Spans below their parents, in the order in which they began; what they are indented by is who began them."""
    known = {span.id for span in trace.spans}
    drawn = Tree(Text(f"trace {trace.trace_id}", style="bold"))
    places: dict[str, Tree] = {}
    for span in trace.spans:
        above = places.get(span.parent or "") if span.parent in known else None
        places[span.id] = (above or drawn).add(_label(span))
    return drawn


def _label(span: Span) -> Text:
    label = Text(visible(span.name))
    label.append("  ").append_text(drawing.marked(span.outcome or "running"))
    facts = [drawing.spent(span.began_at, span.ended_at), span.cost or ""]
    if span.tokens is not None:
        facts.append(f"{span.tokens} tokens")
    failures = sum(each.name.endswith(".failed") for each in span.events)
    if failures:
        facts.append(f"{failures} failed before")
    told = ", ".join(filter(None, facts))
    return label.append(f"  {told}", style="dim") if told else label
