"""What a run spent, read from its journal and nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.rules import costs
from engine.rules.accounts import SETTLED, SETTLING
from engine.rules.costs import Amounts


class Line(Protocol):
    """A line of a journal, as far as it says what something cost."""

    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run spent by its journal, in all and by who was paid; its summary is this and nothing else."""

    total: Amounts
    by_source: Mapping[str, Amounts]
    saved: Amounts = field(default_factory=dict[str, int])  # by results that were used again

    def to_json(self) -> list[dict[str, object]]:
        """Who was paid what, in the order of their names."""
        return [
            {"source": source, **costs.to_json(amounts)}
            for source, amounts in sorted(self.by_source.items())
        ]


def spent_by(entries: Iterable[Line]) -> Spent:
    """What these entries say was spent."""
    amounts: list[Amounts] = []
    saved: list[Amounts] = []
    sources: dict[str, Amounts] = {}
    for entry in entries:
        if entry.kind not in SETTLING and entry.kind != SETTLED:
            continue
        amounts.append(costs.parse_amounts(entry.data.get("cost") or {}))
        saved.append(costs.parse_amounts(entry.data.get("saved") or {}))
        paid_to: Mapping[str, object] = entry.data.get("sources") or {}
        for source, written in paid_to.items():
            paid = costs.parse_amounts(written)
            sources[source] = costs.total([sources.get(source, {}), paid])
    return Spent(total=costs.total(amounts), by_source=sources, saved=costs.total(saved))
