"""Whether the rungs and messages of approvals are as stored what their journals make of them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.rules.folding import FoldedApproval


def of_rungs(row: Any, rungs: Iterable[Any], said: FoldedApproval) -> Iterator[str]:
    """What is wrong with the rungs of the approval `row`: those that fired, and those that still will."""
    if not said.is_plain:
        return
    present = list(rungs)
    armed = {each.rung for each in present if each.fired_at is None and each.cancelled_at is None}
    if said.status != "open":
        if armed:
            yield f"rungs of {row.id} are to fire, and it is {said.status}"
        return
    fired = {each.rung for each in present if each.fired_at is not None}
    if fired != said.fired:
        yield f"the rungs of {row.id} that fired are not those in the journal"
    elif armed != set(range(_length(row.ladder))) - fired:
        yield f"the rungs of {row.id} that are to fire are not those of its ladder"


def of_messages(row: Any, messages: Sequence[Any], said: FoldedApproval) -> Iterator[str]:
    """What is wrong with the messages of the approval `row`: none shows a version that nobody wrote."""
    if any(not 0 <= each.shown_version <= said.version for each in messages):
        yield f"a message of {row.id} shows a version that the journal does not have"


def _length(ladder: str) -> int:
    try:
        found: list[object] = json.loads(ladder)
    except ValueError:
        return -1
    return len(found)
