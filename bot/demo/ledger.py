"""The world of the demo's workflows: a file in which every deed is written down, each once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.demo.trees import parsed, record, text

LEDGER: Final = Path("ledger.jsonl")  # in the folder in which the server is started


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One deed, as it was done."""

    name: str
    what: str
    facts: Mapping[str, object]

    @property
    def line(self) -> str:
        """The deed in one line."""
        return ", ".join([self.what, *(str(value) for value in self.facts.values())])


def book(what: str, *, name: str, **facts: object) -> str:
    """Do `what`, unless it was done before under this `name`; gives the name back.

    Whoever is given the same name again after a crash does nothing twice: that is what a request
    id is for.
    """
    if all(done.name != name for done in booked(LEDGER)):
        with LEDGER.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "what": what, "facts": facts}) + "\n")
    return name


def booked(ledger: Path) -> list[Booked]:
    """Everything that was done, in its order."""
    if not ledger.exists():
        return []
    found = [
        record(parsed(line)) for line in ledger.read_text(encoding="utf-8").splitlines() if line
    ]
    return [
        Booked(name=text(one, "name"), what=text(one, "what"), facts=record(one.get("facts")))
        for one in found
    ]
