"""Three workflows that ask: a refund, a deployment, and an agent's order of pizza."""

from typing import Final

from bot.demo.ledger import book
from signoff import Run, StepInfo, workflow

EVERYBODY: Final = "everybody"
ROLLOUT: Final = {
    "required": ["share"],
    "properties": {
        "share": {
            "type": "string",
            "title": "Who gets it",
            "enum": [EVERYBODY, "half of them", "one in ten"],
            "default": EVERYBODY,
        },
        "watch": {"type": "string", "title": "Who watches it", "maxLength": 60},
    },
}


@workflow
async def refund_order(run: Run, order: str, amount: str) -> str:
    """Pay `amount` back for `order`, once two of finance agree to exactly this payment."""
    charge = await run.step(find_charge, order)
    call = run.call(pay_back, charge, amount, undo=take_back)
    decision = await run.approval(
        f"Refund {amount} for order {order}?",
        action="refund",
        call=call,  # its name and arguments are what is approved
        details={"order": order, "amount": amount, "reason": "The parcel never arrived."},
        approvers="group:finance",
        quorum=2,
        ladder=["remind after 30m", "reject after 4h"],
    )
    return await run.step(call, approved=decision)


@workflow
async def deploy_release(run: Run, release: str) -> str:
    """Bring `release` up beside the old one, then ask how many get it; without consent all is undone."""
    await run.step(migrate, release, undo=migrate_back)
    await run.step(deploy, release, undo=take_down)
    await run.step(smoke_test, release, undo=clean_up_test_orders)
    call = run.call(switch_over, release, share=EVERYBODY)
    decision = await run.approval(
        f"Send customers to release {release}?",
        action="deploy",
        call=call,
        details={"release": release, "smoke test": "14 of 14 passed"},
        kind="form",
        form=ROLLOUT,
        approvers="group:release",
        ladder=["remind after 30m", "reject after 4h"],
    )
    return str(await run.step(decision.call or call, approved=decision))


@workflow
async def order_pizzas(run: Run, count: int, deadline: str = "5m") -> str:
    """An agent wants `count` pizzas. If nobody answers within `deadline`, the ovens are free again."""
    await run.step(reserve_ovens, count, undo=release_ovens)
    call = run.call(order, count, "Margherita", undo=cancel_order)
    decision = await run.approval(
        f"Order {count} pizzas for the team?",
        action="purchase",
        call=call,
        details={"pizzas": count, "price": f"{count * 9}.00 EUR", "asked by": "lunch agent"},
        approvers="group:finance",
        risk="high",  # a link in a mail is not enough for this one
        ladder=[f"rollback after {deadline}"],
    )
    return await run.step(call, approved=decision)


def find_charge(order: str) -> str:
    """Under which name the order was paid."""
    return f"charge-{order}"


def pay_back(charge: str, amount: str, *, step: StepInfo) -> str:
    """Pay back, and say under which name; a second attempt pays nothing more."""
    return book("paid back", name=step.request_id, charge=charge, amount=amount)


def take_back(payment: str, charge: str, amount: str) -> str:
    """Undo `pay_back`."""
    return book("took back", name=f"{payment}-undone", charge=charge, amount=amount)


def migrate(release: str, *, step: StepInfo) -> str:
    """Add what the release needs to the database."""
    return book("migrated", name=step.request_id, release=release)


def migrate_back(migration: str, release: str) -> str:
    """Undo `migrate`."""
    return book("migrated back", name=f"{migration}-undone", release=release)


def deploy(release: str, *, step: StepInfo) -> str:
    """Start the release beside the old one."""
    return book("deployed", name=step.request_id, release=release)


def take_down(deployment: str, release: str) -> str:
    """Undo `deploy`."""
    return book("took down", name=f"{deployment}-undone", release=release)


def smoke_test(release: str, *, step: StepInfo) -> str:
    """Place a few orders nobody will pay for."""
    return book("smoke-tested", name=step.request_id, release=release)


def clean_up_test_orders(test: str, release: str) -> str:
    """Undo `smoke_test`."""
    return book("removed test orders", name=f"{test}-undone", release=release)


def switch_over(release: str, share: str, *, step: StepInfo) -> str:
    """Send so many of the customers to the release."""
    return book("switched over", name=step.request_id, release=release, share=share)


def reserve_ovens(count: int, *, step: StepInfo) -> str:
    """Ask the pizzeria to keep its ovens free."""
    return book("reserved ovens", name=step.request_id, pizzas=count)


def release_ovens(reservation: str, count: int) -> str:
    """Undo `reserve_ovens`."""
    return book("released ovens", name=f"{reservation}-undone", pizzas=count)


def order(count: int, kind: str, *, step: StepInfo) -> str:
    """Order, and promise to pay."""
    return book("ordered", name=step.request_id, pizzas=count, kind=kind)


def cancel_order(placed: str, count: int, kind: str) -> str:
    """Undo `order`."""
    return book("cancelled the order", name=f"{placed}-undone", pizzas=count, kind=kind)
