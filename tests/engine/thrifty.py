"""Workflows whose steps only find something out, and use again what was found."""

from datetime import timedelta

from signoff import Run, workflow
from signoff.running import StepInfo

ASKED: list[str] = []  # what was really asked, in order; a test empties it first


def model(question: str, *, step: StepInfo) -> dict[str, str]:
    """A model that is paid for each answer."""
    ASKED.append(question)
    if question == "fail":
        raise ValueError("no answer")
    step.spent(usd="0.07", tokens=40, source="acme/large")
    return {"answer": question.upper()}


def undo(result: object, question: str) -> None:
    """Never called."""


@workflow
async def thrifty(run: Run, question: str, keep: str = "1h", times: int = 1) -> list[object]:
    """Asks, and asks again."""
    cost = {"usd": "0.10", "tokens": 50}
    return [
        await run.step(model, question, name=f"ask {number}", cost=cost, reuse=keep)
        for number in range(times)
    ]


@workflow
async def other_thrifty(run: Run, question: str) -> object:
    """Another workflow with the same call."""
    return await run.step(model, question, reuse=timedelta(hours=1))


@workflow
async def not_thrifty(run: Run, how: str) -> object:
    """What cannot be meant."""
    if how == "irreversible":
        return await run.step(model, "x", irreversible=True, reuse="1h")
    if how == "undo":
        return await run.step(run.call(model, "x", undo=undo), reuse="1h")
    if how == "request_id":
        call = run.call(model, "x")
        return await run.step(call, request_id="17", reuse="1h")
    return await run.step(model, "x", reuse=how)
