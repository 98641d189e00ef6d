"""A refund that two people of the finance group must agree to, and that a rollback takes back."""

import json
import os
from pathlib import Path

from signoff import NoEffect, Run, StepInfo, workflow


@workflow
async def refund(run: Run, order: str, amount: str) -> str:
    """Pay `amount` back for `order`, once finance agrees."""
    charge = await run.step(find_charge, order)
    call = run.call(pay_back, charge, amount, undo=take_back)
    decision = await run.approval(
        f"Refund {amount} for order {order}?",
        action="refund",
        call=call,  # its name and arguments are what is approved
        details={"order": order, "amount": amount},
        approvers="group:finance",
        quorum=2,
        ladder=["remind after 30m", "escalate to group:finance-leads after 2h", "reject after 4h"],
    )
    return await run.step(call, approved=decision)


def find_charge(order: str) -> str:
    """The charge of an order; here the shop's books are a file, REFUND_LEDGER."""
    if not order.isalnum():
        raise NoEffect(f"There is no order {order!r}.")
    return f"charge-{order}"


def pay_back(charge: str, amount: str, *, step: StepInfo) -> str:
    """Pay back, and say under which name; a second attempt pays nothing more."""
    payment = f"refund-{step.request_id}"
    return _book("paid back", payment, charge=charge, amount=amount)


def take_back(payment: str, charge: str, amount: str) -> str:
    """Undo `pay_back`: it is given that step's result and arguments."""
    return _book("taken back", f"{payment}-undone", charge=charge, amount=amount)


def _book(what: str, name: str, *, charge: str, amount: str) -> str:
    ledger = Path(os.environ.get("REFUND_LEDGER", "refunds.jsonl"))
    lines = ledger.read_text().splitlines() if ledger.exists() else []
    if all(json.loads(line)["name"] != name for line in lines):
        line = {"name": name, "what": what, "charge": charge, "amount": amount}
        with ledger.open("a") as file:
            file.write(json.dumps(line) + "\n")
    return name
