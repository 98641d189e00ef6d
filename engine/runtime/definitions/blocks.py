"""Steps inside steps: the blocks of each kind, and the order in which the steps of a block run."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from engine.rules.definitions import in_order
from engine.runtime.definitions.doings import HttpStep, TaskStep
from engine.runtime.definitions.reading import Way
from engine.runtime.definitions.shapes import (
    AnyStep,
    ApprovalStep,
    CheckpointStep,
    ChildStep,
    ConditionStep,
    ForEachStep,
    ParallelStep,
)


def blocks_of(step: AnyStep) -> Iterator[tuple[Way, Sequence[AnyStep]]]:
    """The blocks of steps inside `step`, each with the way to it."""
    match step:
        case ConditionStep():
            yield ("then",), step.then
            if step.else_ is not None:
                yield ("else",), step.else_
        case ForEachStep():
            yield ("steps",), step.steps
        case ParallelStep():
            for name, branch in step.branches.items():
                yield ("branches", name), branch
        case TaskStep() | HttpStep() | ApprovalStep() | CheckpointStep() | ChildStep():
            pass
        case _:
            assert_never(step)


def ordered(steps: Sequence[AnyStep]) -> list[AnyStep]:
    """The steps of one block in the order in which they run."""
    by_name = {step.name: step for step in steps}
    needs = {step.name: step.needs or [] for step in steps}
    return [by_name[name] for name in in_order(list(by_name), needs)]


def names_of(steps: Sequence[AnyStep]) -> Iterator[str]:
    """The names of all steps, those inside others too."""
    for step in steps:
        yield step.name
        for _way, block in blocks_of(step):
            yield from names_of(block)
