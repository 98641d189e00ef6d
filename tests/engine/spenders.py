"""Workflows that spend, and the till in which one sees what really happened."""

from typing import Final

from signoff import BudgetExceeded, NoEffect, Run, StepInfo, workflow

TILL: Final[list[str]] = []  # every call that was really made; a test empties it first
TROUBLE: Final[list[BaseException]] = []  # what the next calls raise, first one first

DEAR: Final = {"usd": "0.10", "tokens": 50}


def call(name: str) -> str:
    """One call of a model, which costs what was declared."""
    TILL.append(name)
    if TROUBLE:
        raise TROUBLE.pop(0)
    return name


def metered(name: str, usd: str, tokens: int, source: str, *, step: StepInfo) -> str:
    """One call that says what it really cost."""
    TILL.append(name)
    step.spent(usd=usd, tokens=tokens, source=source)
    return name


def take_back(result: str | None, name: str) -> None:
    """Undo a call."""
    TILL.append(f"undo {name}")


@workflow
async def loop(run: Run, steps: int = 100) -> int:
    """Call a model again and again."""
    for number in range(steps):
        await run.step(call, f"call {number}", name=f"call {number}", cost=DEAR, undo=take_back)
    return steps


@workflow
async def stubborn_loop(run: Run, steps: int = 1) -> None:
    """Calls a model again where that failed."""
    terms = {"attempts": 3, "first_delay": "1s"}
    for number in range(steps):
        name = f"call {number}"
        await run.step(call, name, name=name, cost=DEAR, undo=take_back, retries=terms)


@workflow
async def resting_loop(run: Run, steps: int = 3) -> None:
    """Calls a model, and rests before it does so again."""
    for number in range(steps):
        await run.step(call, f"call {number}", name=f"call {number}", cost=DEAR, undo=take_back)
        await run.sleep("1s")


@workflow
async def household(run: Run, steps: int = 2) -> int:
    """Has somebody else do the spending."""
    return await run.child(loop, steps=steps)


@workflow
async def estate(run: Run, steps: int = 2) -> int:
    """Has somebody else have it done."""
    return await run.child(household, steps=steps)


@workflow
async def nagging(run: Run) -> str:
    """Has somebody else try again and again."""
    return str(await run.child("flaky", retries=2))


@workflow
async def modest(run: Run, steps: int = 4) -> None:
    """Spends, and then has time."""
    for number in range(steps):
        await run.step(call, f"call {number}", name=f"call {number}", cost=DEAR)
    await run.sleep("1h")


@workflow
async def dear_question(run: Run, steps: int = 4) -> None:
    """Spends, and then asks people."""
    for number in range(steps):
        await run.step(call, f"call {number}", name=f"call {number}", cost=DEAR)
    await run.approval("Was that worth it?", action="spend", approvers="group:release")


@workflow
async def dear_family(run: Run, steps: int = 4) -> None:
    """Spends, and waits for a child that asks people."""
    for number in range(steps):
        await run.step(call, f"call {number}", name=f"call {number}", cost=DEAR)
    await run.child(dear_question, 0)


@workflow
async def plain_loop(run: Run, steps: int = 10) -> int:
    """Steps that say nothing of money."""
    for number in range(steps):
        await run.step(call, f"call {number}", name=f"call {number}")
    return steps


@workflow
async def frugal(run: Run) -> str:
    """Takes something cheaper where the dear thing no longer fits."""
    try:
        return str(await run.step(call, "dear", name="dear", cost={"usd": "5.00"}))
    except BudgetExceeded as short:
        await run.step(call, "cheap", name="cheap", cost={"usd": "0.01"})
        return f"{short.asked} of {short.limit}"


@workflow
async def metered_loop(run: Run, usd: str, tokens: int = 50, steps: int = 3) -> str:
    """Declares a dime and says what it came to, by provider."""
    for number in range(steps):
        source = f"acme/model-{number % 2}"
        await run.step(metered, "call", usd, tokens, source, name=f"call {number}", cost={**DEAR})
    return "done"


@workflow
async def unsaid(run: Run, usd: str, tokens: int) -> str:
    """Says only afterwards that it cost anything."""
    return str(await run.step(metered, "call", usd, tokens, "acme/model", name="call"))


@workflow
async def bad_price(run: Run, price: str | float | int) -> str:
    """Declares a cost that may make no sense."""
    return str(await run.step(call, "call", cost={"usd": price}))


@workflow
async def two_currencies(run: Run) -> str:
    """Dollars, and then euros."""
    await run.step(call, "dollars", name="dollars", cost="0.10 USD")
    return str(await run.step(call, "euros", name="euros", cost="0.10 EUR"))


@workflow
async def flaky(run: Run, retries: int = 2) -> str:
    """A call that is tried again."""
    return str(await run.step(call, "call", cost=DEAR, retries=retries))


def did_nothing() -> NoEffect:
    """A failure that certainly had no effect, and so costs nothing."""
    return NoEffect("nothing happened")


@workflow
async def together(run: Run) -> dict[str, str]:
    """Two branches spend side by side."""

    async def spend(branch: Run, name: str) -> str:
        for number in range(2):
            await branch.step(call, name, name=f"{name} {number}", cost={"usd": "0.10"})
        return name

    done = await run.gather(
        one=lambda branch: spend(branch, "one"), two=lambda branch: spend(branch, "two")
    )
    return dict(done)
