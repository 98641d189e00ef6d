"""Stories of runs: driven, waited for, decided, undone, branched, and started by others."""

from datetime import timedelta
from typing import Final

from engine.ids import DEFAULT_TENANT
from engine.services import effects, rolling_back, runs
from engine.services.effects import Settlement
from engine.store.going_back import Order
from tests.durability.tales.acts import (
    BY,
    WHY,
    deliver,
    does,
    drive,
    on_run,
    start,
    time,
    vote,
)
from tests.durability.tales.telling import Act, Story, Telling
from tests.engine import effects as world
from tests.engine import flows, undoing

ALWAYS: Final = 1_000
HOMES: Final = (flows, undoing, world)  # of the workflows besides those of `tests.durability.flows`


def _breaks(name: str) -> Act:
    """From now on something outside does not work."""

    async def act(_telling: Telling) -> None:
        flows.FAIL[name] = ALWAYS

    return act


async def _mends(_telling: Telling) -> None:
    flows.FAIL.clear()


async def _falls_silent(_telling: Telling) -> None:
    world.ENDS[:] = [OSError("no answer")]


_STUCK: Final = (
    start("careful", retries=0),
    drive,
    _breaks("undo dangerous"),
    vote("ana", "reject"),
    drive,
    vote("bo"),
    drive,
)

DRIVEN: Final = {
    "kept": Story(
        about=[], acts=(start("shaky_deploy"), drive, deliver, vote("ana"), drive, deliver)
    ),
    "consented": Story(
        about=["approvals.open_for_run", "votes.cast"],
        acts=(start("catching"), drive, vote("ana"), drive),
    ),
    "undone": Story(
        about=["driving.go_back"],
        acts=(start("shaky_deploy"), drive, vote("dana", "reject"), drive),
    ),
    "undone by time": Story(
        about=["rungs.fire_due"], acts=(start("shaky_deploy"), drive, time())
    ),
    "paid": Story(
        about=["driving.dispatch"],
        acts=(start("shaky_refund"), drive, vote("ana"), vote("bo"), drive),
    ),
    "slept": Story(about=["driving.pause_until"], acts=(start("shaky_nap"), drive, time())),
    "asked again": Story(
        about=[],
        acts=(
            start("shaky_rounds"), drive, vote("ana", "request_changes"), drive,
            vote("bo", "request_changes"), drive, vote("chen"), drive,
        ),
    ),
    "branched": Story(
        about=["branching.pause"], acts=(start("reviews"), drive, time(timedelta(minutes=61)), time())
    ),
    "halved": Story(
        about=["branching.end"],
        acts=(
            start("halved"), drive, _breaks("broken"), time(timedelta(minutes=61)),
            *(time(timedelta(minutes=9)) for _try in range(4)),
        ),
    ),
    "with a child": Story(
        about=["children.start", "children.undo"],
        acts=(start("paper", topics=["moss"]), drive, vote("bo", "reject"), drive),
    ),
    "marked": Story(
        about=[
            "runs.start", "idempotency.remember", "driving.record", "driving.finish", "keeping.keep",
        ],
        acts=(start("marked"), drive),
    ),
    "gone on": Story(
        about=["driving.go_on"],
        acts=(
            start("staged", on_reject="resume", back_to="before build"), drive,
            vote("dana", "reject"), drive, vote("dana"), drive, vote("dana"), drive,
        ),
    ),
    "unknown": Story(
        about=["driving.begin", "effects.unknown", "effects.settle"],
        acts=(
            start("launch"), _falls_silent, drive,
            does(lambda tx, it: effects.settle(tx, DEFAULT_TENANT, it.run, Settlement(
                outcome="happened", result={"number": 1, "what": "rocket"}, by=BY, reason=WHY,
            ))),
            drive,
        ),
    ),
    "stuck and skipped": Story(
        about=["driving.stuck", "driving.stop", "rolling_back.skip"],
        acts=(*_STUCK, on_run(rolling_back.skip), drive),
    ),
    "stuck and taken over": Story(
        about=["rolling_back.take_over"], acts=(*_STUCK, on_run(rolling_back.take_over), drive)
    ),
    "stuck and tried again": Story(
        about=["runs.retry"], acts=(*_STUCK, _mends, on_run(runs.retry), drive)
    ),
    "ordered back": Story(
        about=["rolling_back.begin"],
        acts=(
            start("shaky_deploy"), drive,
            does(lambda tx, it: rolling_back.begin(
                tx, DEFAULT_TENANT, it.run, Order(reason=WHY, by=BY)
            )),
            drive,
        ),
    ),
}  # fmt: skip
