"""The workflows that are killed: every effect of theirs is a line of the world's ledger."""

from typing import Final

from signoff import ChangesRequested, Run, StepInfo, workflow
from tests.durability.notes import Notes

WORLD: Final[list[Notes]] = []  # the ledger of this process; whoever drives puts it here

STEPS: Final = frozenset(
    {"migrate", "deploy", "announce", "look up", "wake", "publish", "pay", "charge", "order"}
    | {"roll out", "spend"}
)


def do(name: str, *, step: StepInfo) -> str:
    """Do something outside."""
    WORLD[-1].done(step, name, name)
    return name


def undo(_result: str | None, name: str, *, step: StepInfo) -> None:
    """Take it back."""
    WORLD[-1].done(step, f"undo {name}", name)


def pay(amount: str, *, step: StepInfo) -> str:
    """Pay, which nobody may do without consent."""
    WORLD[-1].done(step, "pay", amount, needs_consent=True)
    return amount


def keyed(name: str, key: str, *, step: StepInfo) -> str:
    """Do something under an idempotency key."""
    WORLD[-1].done(step, name, key)
    return key


@workflow
async def shaky_deploy(run: Run, patience: str = "4h") -> str:
    """Two steps with undos, then people decide."""
    for name in ("migrate", "deploy"):
        await run.step(do, name, name=name, undo=undo)
    await run.approval(
        "Keep it?",
        action="deploy",
        approvers="group:release",
        ladder=["remind after 1s", f"rollback after {patience}"],
    )
    return str(await run.step(do, "announce", name="announce"))


@workflow
async def shaky_refund(run: Run, amount: str = "10.00", patience: str = "4h") -> str:
    """A key is drawn and used, then a call is approved by two, and made."""
    key = str(await run.uuid())
    await run.step(keyed, "look up", key, name="look up")
    call = run.call(pay, amount)
    decision = await run.approval(
        "Pay?", call=call, approvers="group:finance", quorum=2, ladder=[f"reject after {patience}"]
    )
    await run.step(call, approved=decision, name="pay")
    return key


@workflow
async def shaky_nap(run: Run, nap: str = "1s") -> str:
    """Sleeps, and then does something."""
    await run.sleep(nap)
    return str(await run.step(do, "wake", name="wake"))


@workflow
async def shaky_rounds(run: Run, patience: str = "4h") -> str:
    """Asks until nobody wants changes."""
    wording = "First"
    while True:
        try:
            decision = await run.approval(
                wording,
                action="publish",
                approvers="group:finance",
                ladder=[f"continue with {{}} after {patience}"],
            )
        except ChangesRequested as wish:
            wording = f"{wording}, {wish.comment}"
        else:
            return str(await run.step(do, wording, approved=decision, name="publish"))
