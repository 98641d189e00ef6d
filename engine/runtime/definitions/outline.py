"""A definition's steps as a list for people: what there is, what is inside what, and when."""

from collections.abc import Iterator, Sequence

from engine.runtime.definitions.blocks import blocks_of, ordered
from engine.runtime.definitions.doings import HttpStep, TaskStep
from engine.runtime.definitions.programs import definition_of
from engine.runtime.definitions.shapes import (
    AnyStep,
    ApprovalStep,
    ChildStep,
    ConditionStep,
    ForEachStep,
)


def outline(body: str) -> list[dict[str, object]]:
    """The steps of what `body` says, in their order: name, type, depth, and what each is about."""
    return list(_lines(definition_of(body).steps, 0))


def _lines(steps: Sequence[AnyStep], depth: int) -> Iterator[dict[str, object]]:
    for step in ordered(steps):
        yield {
            "name": step.name,
            "type": step.type,
            "depth": depth,
            "about": _about(step),
            "when": step.when,
        }
        for _way, block in blocks_of(step):
            yield from _lines(block, depth + 1)


def _about(step: AnyStep) -> str:
    match step:
        case TaskStep():
            return step.task
        case HttpStep():
            return f"{step.method} {step.url}"
        case ApprovalStep():
            return step.title
        case ConditionStep():
            return step.if_
        case ForEachStep():
            return str(step.items)
        case ChildStep():
            return step.workflow
        case _:
            return step.description or ""
