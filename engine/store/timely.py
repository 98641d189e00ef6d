"""Whether the rungs and messages of approvals are as stored what their journals make of them."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from engine.rules.folding import FoldedApproval


def of_rungs(row: Any, rungs: Sequence[Sequence[Any]], said: FoldedApproval) -> str | None:
    """What is wrong with the rungs of the approval `row`, if anything: those that fired, and those that still will.

    Each of `rungs` has its approval, its number, and when it fired or was cancelled.
    """
    armed: set[int] = set()
    fired: set[int] = set()
    for _approval, rung, fired_at, cancelled_at in rungs:
        if fired_at is not None:
            fired.add(rung)
        elif cancelled_at is None:
            armed.add(rung)
    if said.status != "open":
        return f"rungs of {row.id} are to fire, and it is {said.status}" if armed else None
    if fired != said.fired:
        return f"the rungs of {row.id} that fired are not those in the journal"
    if armed != set(_rungs_of(row.ladder)) - fired:
        return f"the rungs of {row.id} that are to fire are not those of its ladder"
    return None


def of_messages(
    approval: str, messages: Sequence[Sequence[Any]], said: FoldedApproval
) -> Iterator[str]:
    """What is wrong with the messages of an approval, each with the version that it shows: none is unwritten."""
    if any(not 0 <= shown <= said.version for _approval, shown in messages):
        yield f"a message of {approval} shows a version that the journal does not have"


@lru_cache(maxsize=512)  # many approvals have one and the same
def _rungs_of(ladder: str) -> frozenset[int]:
    try:
        found: list[object] = json.loads(ladder)
    except ValueError:
        return frozenset({-1})
    return frozenset(range(len(found)))
