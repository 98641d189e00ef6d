"""Workflows with effects that must not happen twice, and a world that says how each attempt ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from signoff import NoEffect, Run, StepInfo, workflow
from signoff.effects import Absent, Declined, Present, Unclear

SENT: Final[list[str]] = []  # the request ids that reached the target, in order
ENDS: Final[list[Exception | None]] = []  # how the next attempts end; well, where nothing is said
PROBES: Final[list[Callable[[], object]]] = []  # what the probe answers next


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the target gives for it."""

    number: int
    what: str


def prepare() -> None:
    """An empty world."""
    for each in (SENT, ENDS, PROBES):
        each.clear()


def fire(what: str, *, step: StepInfo) -> Receipt:
    """Reach the target, or not: as the world says."""
    end = ENDS.pop(0) if ENDS else None
    if not isinstance(end, NoEffect):
        SENT.append(step.request_id)
    if end is not None:
        raise end
    return Receipt(number=len(SENT), what=what)


def look(request_id: str, what: str) -> object:
    """Ask the target, which answers as the world says."""
    assert request_id.startswith("run_")
    assert what == "rocket"
    return PROBES.pop(0)()


def there() -> Present:
    return Present(Receipt(number=7, what="found"))


def not_there() -> Absent:
    return Absent()


def cannot_tell() -> Unclear:
    return Unclear("The target is being mended.")


def breaks() -> object:
    raise OSError("no route to the target")


def odd() -> object:
    return True


def unkeepable() -> Present:
    return Present(object())


def certainly(words: str = "never left") -> NoEffect:
    return NoEffect(words)


def declined() -> Declined:
    return Declined("the target said no")


def stand_down(result: object, what: str) -> None:
    """Undo a launch."""
    SENT.append(f"undo {what}")


@workflow
async def launch(
    run: Run, probes: bool = False, retries: int | dict[str, object] | None = None
) -> dict[str, object]:
    """One irreversible step, and what came of it."""
    made = await run.step(
        fire,
        "rocket",
        irreversible=True,
        probe=look if probes else None,
        retries=retries,
        returns=Receipt,
        undo=stand_down,
    )
    return {"number": made.number, "what": made.what}


@workflow
async def consented_launch(run: Run) -> int:
    """People agree first."""
    call = run.call(fire, "rocket")
    decision = await run.approval("Fire?", call=call, approvers="person:ana")
    made = await run.step(call, approved=decision, irreversible=True, returns=Receipt)
    return made.number


@workflow
async def fleet(run: Run) -> dict[str, int]:
    """Two rockets at once, while somebody is asked."""

    async def rocket(branch: Run) -> int:
        made = await branch.step(fire, "rocket", irreversible=True, returns=Receipt)
        return made.number

    async def asked(branch: Run) -> int:
        await branch.approval("Cheer?", action="cheer", approvers="person:ana")
        return 0

    return dict(await run.gather(left=rocket, right=rocket, asked=asked))
