"""Three workflows whose approvers do more than agree: fewer pizzas, half a trade, a mended release."""

from decimal import Decimal

from bot.demo.ledger import book
from signoff import Run, StepInfo, workflow

BEFORE_FALL = Decimal(100)  # per cent
AFTER_FALL = Decimal(80)


@workflow
async def order_lunch(run: Run, people: int, count: int, each: str) -> str:
    """An agent orders `count` pizzas for `people`; finance may order fewer before it is paid."""
    call = run.call(pay_pizzeria, count, each)
    decision = await run.approval(
        f"Order {count} pizzas for {people} people?",
        action="purchase",
        call=call,
        details={"count": count, "each": each, "people": people},
        kind="modify",
        fields=["count"],
        approvers="group:finance",
        ladder=["reject after 4h"],
    )
    return str(await run.step(decision.call or call, approved=decision))


@workflow
async def buy_shares(run: Run, shares: int, price: str) -> str:
    """An agent buys; two of finance agree to how many. Then the price falls by a fifth."""
    call = run.call(buy, shares, price, undo=sell_again)
    decision = await run.approval(
        f"Buy {shares} shares at {price}?",
        action="trade",
        call=call,
        details={"shares": shares, "price": price},
        kind="modify",
        fields=["shares"],
        approvers="group:finance",
        quorum=2,
        ladder=["reject after 4h"],
    )
    await run.step(decision.call or call, approved=decision)
    held = decision.details["shares"]
    return str(await run.step(price_falls, held, price))


@workflow
async def ship_build(run: Run, build: str) -> str:
    """Bring `build` up and have it reviewed; a rejection undoes all of it, and what it says is mended."""
    migration = "none"
    if run.feedback is not None:
        migration = await run.step(write_migration, build, run.feedback)
        await run.step(apply_migration, migration, build, undo=revert_migration)
    await run.step(bring_up, build, undo=bring_down)
    decision = await run.approval(
        f"Ship build {build}{'' if run.feedback is None else ', mended'}?",
        action="ship",
        details={"build": build, "migration": migration, "mends": run.feedback or "nothing"},
        approvers="group:release",
        comment="on_reject",
        ladder=["reject after 4h"],
        on_reject="resume",
    )
    return str(await run.step(ship, build, approved=decision))


def pay_pizzeria(count: int, each: str, *, step: StepInfo) -> str:
    """Really spend: the pizzeria's till counts."""
    spent = _times(each, count)
    book("spent on pizzas", name=step.request_id, count=count, spent=spent)
    return spent


def buy(shares: int, price: str, *, step: StepInfo) -> str:
    """Buy, and pay."""
    return book("bought", name=step.request_id, shares=shares, paid=_times(price, shares))


def sell_again(bought: str, shares: int, price: str) -> str:
    """Undo `buy`."""
    return book("sold again", name=f"{bought}-undone", shares=shares, price=price)


def price_falls(shares: int, price: str, *, step: StepInfo) -> str:
    """What a fall by a fifth costs whoever holds that many."""
    lost = _times(price, shares, share=(BEFORE_FALL - AFTER_FALL) / BEFORE_FALL)
    book("lost by the fall", name=step.request_id, lost=lost)
    return lost


def write_migration(build: str, why: str) -> str:
    """What a developer, or an agent, makes of what the reviewers said."""
    return f"{build}-1" if "migration" in why else "none"


def apply_migration(migration: str, build: str, *, step: StepInfo) -> str:
    """Add to the database what the build needs."""
    return book("applied migration", name=step.request_id, build=build, migration=migration)


def revert_migration(applied: str, migration: str, build: str) -> str:
    """Undo `apply_migration`."""
    return book("reverted migration", name=f"{applied}-undone", build=build, migration=migration)


def bring_up(build: str, *, step: StepInfo) -> str:
    """Start the build beside the old one."""
    return book("brought up", name=step.request_id, build=build)


def bring_down(brought_up: str, build: str) -> str:
    """Undo `bring_up`."""
    return book("brought down", name=f"{brought_up}-undone", build=build)


def ship(build: str, *, step: StepInfo) -> str:
    """Send everybody to the build."""
    return book("shipped", name=step.request_id, build=build)


def _times(amount: str, count: int, *, share: Decimal = Decimal(1)) -> str:
    figure, _, currency = amount.partition(" ")
    return f"{Decimal(figure) * count * share:.2f} {currency}".rstrip()
