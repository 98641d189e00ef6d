"""What the deeds keep to beyond the rules; each can be taken away, to see that the checks miss it."""

from dataclasses import dataclass, fields, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """All of them hold in the product. A simulation without one must find out."""

    proves_leases: bool = True  # every write of a driver names its token
    answers_after_commit: bool = True  # nobody is told before it is certain
    counts_this_version: bool = True  # a vote for an earlier one is refused
    replaces_votes: bool = True  # of one person one vote is current
    keeps_deadlines: bool = True  # at its very moment it is too late
    asks_the_databases_clock: bool = True  # and nobody's own
    binds_the_call: bool = True  # what is begun is what was approved
    uses_decisions_once: bool = True
    asks_the_switch: bool = True  # in the deed that begins a step
    keeps_to_budgets: bool = True
    settles_budgets: bool = True
    remembers_steps: bool = True  # a replay answers what is finished
    doubts_what_was_lost: bool = True  # an irreversible step that has no end is not done again
    claims_effects_once: bool = True
    undoes_newest_first: bool = True
    undoes_what_has_no_end: bool = True
    counts_tries_before: bool = True  # a worker that dies has been counted
    journals_every_change: bool = True
    enqueues_with_the_change: bool = True  # in one transaction
    wakes_who_waits: bool = True
    leaves_the_paused: bool = True  # whatever its driver writes, nobody takes it up
    stops_asking_at_the_end: bool = True  # of a run: what it asks is closed


LAWS: Final = Laws()
NAMES: Final = tuple(each.name for each in fields(Laws))


def without(name: str) -> Laws:
    """All laws but one."""
    return replace(LAWS, **{name: False})
