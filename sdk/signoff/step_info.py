"""What a step is told about itself, and what it says of its cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInfo:
    """What a step is told about itself, if its function has a keyword parameter `step`.

    `request_id` is the same on every attempt and after every restart: hand it on to whoever
    takes an idempotency key. `attempt` counts from 1. `permit` is the token of a permit, where an effect
    asked for one (`audience=`).
    """

    request_id: str
    attempt: int
    deadline: datetime | None = None
    permit: str | None = field(default=None, repr=False)
    said: list[Mapping[str, object]] = field(
        default_factory=list[Mapping[str, object]], repr=False, compare=False
    )

    def spent(self, *, source: str | None = None, **amounts: object) -> None:
        """Say what this attempt really cost: `step.spent(usd="0.08", tokens=41)`; several add up.

        `source` is who was paid: a provider, or `provider/model`. What is said counts even if the
        attempt then fails. A unit that is never named counts as declared.
        """
        self.said.append({**amounts, **({} if source is None else {"source": source})})
