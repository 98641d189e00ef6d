"""Functions and workflows as authors write them, well and badly."""

from decimal import Decimal
from typing import assert_type

from signoff import Call, Decision, Run, StepInfo, workflow


def pay_back(charge: str, amount: str, *, step: StepInfo) -> str:
    return f"{charge} {amount} {step.request_id}"


async def look_up(order: str, copy: int = 1) -> str:
    return order * copy


def take_back(payment: str, charge: str, amount: str) -> str:
    return f"{payment} {charge} {amount}"


def positional_step(step: str, /) -> str:
    return step


class Shop:
    """Something with methods."""

    def pay(self) -> str:
        return "paid"

    @staticmethod
    def close() -> str:
        return "closed"


def replaced() -> int:
    return 1


ORIGINAL = replaced


@workflow(name="sample.refund", version="2")
async def refund(
    run: Run, order: str, amount: Decimal = Decimal("1.00"), copy: int = 1, _note: str | None = None
) -> str:
    return f"{run.id} {order} {amount} {copy} {_note}"


@workflow
async def inferred(run: Run, order: str) -> str:
    """What editors and type checkers know without being told; mypy checks each line."""
    call = assert_type(run.call(pay_back, order, "1.00", undo=take_back), Call[str])
    decision = assert_type(await run.approval("Pay?", call=call, approvers="person:ana"), Decision)
    assert_type(await run.step(call, approved=decision), str)
    assert_type(await run.step(look_up, order, copy=2, retries=3, timeout="30s"), str)
    assert_type(run.call(look_up, order), Call[str])
    return assert_type(await run.step(pay_back, order, "1.00", approved=decision), str)
