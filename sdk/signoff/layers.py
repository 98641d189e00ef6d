"""What people are told at a checkpoint: the layer for approvers, and the layer for whoever knows the task."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class Asked(TypedDict, total=False):
    """What an approver reads."""

    summary: str
    decision_needed: str
    recommendation: str
    confidence: float
    """From 0 to 1."""
    artifacts: Sequence[str]


class Task(TypedDict, total=False):
    """What somebody reads who knows the task; its input and outputs are added."""

    now: str
    next_steps: Sequence[str]
    confidence: float | Mapping[str, float]
    risk: str


def check_layers(
    asked: str | Mapping[str, object] | None, task: str | Mapping[str, object] | None
) -> None:
    """Return if both layers say only what they may.

    Raises:
        TypeError: for a key that the layer does not have. ValueError: for a confidence that is not
            from 0 to 1.
    """
    for given, known in ((asked, Asked), (task, Task)):
        if given is None or isinstance(given, str):
            continue
        unknown = sorted(set(given) - set(known.__annotations__))
        if unknown:
            raise TypeError(f"{known.__name__} has no {unknown[0]!r}; it has {_names(known)}.")
        confidence: Any = given.get("confidence")
        scores: list[Any] = (
            [*confidence.values()] if isinstance(confidence, Mapping) else [confidence]
        )
        for score in scores:
            if score is not None and not (isinstance(score, int | float) and 0 <= score <= 1):
                raise ValueError(f"A confidence is a number from 0 to 1, not {score!r}.")


def _names(layer: type) -> str:
    return ", ".join(layer.__annotations__)
