"""Kill switches in the simulated store."""

from bot.chaos.simulation.memory import Memory
from engine.errors import KillSwitchTriggered
from engine.rules.switches import TENANT, Beneath, above, engaged_words


def engaged(memory: Memory) -> frozenset[str]:
    """The kill switches that are engaged."""
    return frozenset(scope for scope in (TENANT, "run:run_1") if memory.switches.get(scope))


def beneath(memory: Memory, run: str) -> Beneath:
    """What decides which switches stand above a run."""
    return Beneath(runs=(run,), workflows=(memory.runs[run].script,), started_by="key:agent")


def stands_above(memory: Memory, run: str) -> str | None:
    """The widest switch that stands above the run."""
    return above(engaged(memory), beneath(memory, run))


def demand_released(memory: Memory, run: str) -> None:
    """Return if no switch stands above the run.

    Raises:
        KillSwitchTriggered: otherwise.
    """
    scope = stands_above(memory, run)
    if scope is not None and memory.laws.asks_the_switch:
        raise KillSwitchTriggered(engaged_words(scope), scope=scope)
