"""The quiet after the faults: all that can go on goes on, and time passes only when nothing else happens."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bot.chaos.simulation import asking, leasing, operating, sending
from bot.chaos.simulation.judging import Broken
from bot.chaos.simulation.memory import Memory

if TYPE_CHECKING:
    from bot.chaos.simulation.playing import Play

ROUNDS_MAX: Final = 400  # much more than anything needs


def rest(play: "Play") -> None:
    """Go on without faults until nothing is left to do.

    Raises:
        Broken: if that never comes, or an invariant breaks on the way.
    """
    memory = play.memory
    memory.write(lambda memory: operating.switch(memory, is_engaged=False))
    for _round in range(ROUNDS_MAX):
        play.finish()
        is_moved = any([*_served(play)])
        play.look()
        if is_moved:
            continue
        moment = next_moment(memory)
        if moment is None:
            return
        memory.now = moment
    raise Broken(f"I19: it does not come to rest within {ROUNDS_MAX} rounds")


def _served(play: "Play") -> Iterator[bool]:
    memory = play.memory
    yield memory.write(asking.fire_due) > 0
    memory.write(operating.free_halted)
    held = memory.write(lambda memory: leasing.claim(memory, "worker-1"))
    if held is not None:
        play.drive_whole(held)
        yield True
    for row in list(memory.runs):
        deed = operating.mend(memory, play.outside, row)
        if deed is not None:
            memory.write(deed)
            yield True
    sent = memory.write(sending.claim)
    if sent is not None:
        sending.post(memory, play.outside, sent)
        memory.write(lambda memory: sending.mark(memory, sent, is_sent=True))
        yield True


def next_moment(memory: Memory) -> datetime | None:
    """The very moment at which something is due next, where anything is."""
    moments = [row.ready_at for row in memory.runs]
    moments += [row.lease_until for row in memory.runs]
    moments += [timer.due_at for timer in memory.timers if timer.is_armed]
    for each in memory.deliveries:
        if each.status == "pending":
            moments += [each.due_at, each.lease_until]
    later = [each for each in moments if each is not None and each > memory.now]
    return min(later, default=None)
