"""Where in a definition a run is, and what can be named there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.runtime.definitions.shapes import AnyStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a definition the run is: what can be named there, and the turns of the loops around it."""

    values: Mapping[str, Any]
    turns: str = ""

    def name_of(self, step: AnyStep) -> str:
        """What the step is called in the journal."""
        return f"{step.name}{self.turns}"

    def inside(self, **more: object) -> "Place":
        """The beginning of a block: what is named in it does not leave it."""
        steps: Any = self.values["steps"]
        return Place(values={**self.values, "steps": dict(steps), **more}, turns=self.turns)

    @property
    def results(self) -> dict[str, object]:
        """The results of the steps so far, which the next ones are added to."""
        steps: dict[str, object] = self.values["steps"]
        return steps
