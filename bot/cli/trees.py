"""Draws the tree of a run: the runs above it, itself, and what it started."""

from collections.abc import Sequence
from itertools import chain

from rich.text import Text
from rich.tree import Tree

from bot.cli.shapes import Relative, Run
from channels.visible import visible


def run_tree(run: Run) -> Tree:
    """From the root on; the run itself is bold, and its siblings are left out."""
    itself = Relative(id=run.id, workflow=run.workflow, status=run.status)
    top: Tree | None = None
    place: Tree | None = None
    for each in chain(run.above, (itself,)):
        label = _label(each, is_itself=each is itself)
        place = Tree(label) if place is None else place.add(label)
        top = top or place
    drawn = place or Tree("")
    _add(drawn, run.children)
    return top or drawn


def _add(place: Tree, children: Sequence[Relative]) -> None:
    for child in children:
        _add(place.add(_label(child)), child.children)


def _label(run: Relative, *, is_itself: bool = False) -> Text:
    branch = run.path.split(".")[-2] if "." in run.path else ""
    parts = (f"{branch}:" if branch else "", run.workflow, run.id, run.status.replace("_", " "))
    return Text(visible(" ".join(filter(None, parts))), style="bold" if is_itself else "")
