"""What is said about effects: what a probe answers, and failures that certainly did nothing."""

from dataclasses import dataclass

from signoff.outcomes import Declined, NoEffect

__all__ = ["Absent", "Declined", "NoEffect", "Present", "Unclear"]


@dataclass(frozen=True, slots=True)
class Present:
    """A probe's answer: the effect is there. `result` is what it would have returned."""

    result: object = None


@dataclass(frozen=True, slots=True)
class Absent:
    """A probe's answer: the effect is certainly not there and will not come, so it may be made."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A probe's answer: it cannot tell, so people are asked."""

    reason: str = ""
