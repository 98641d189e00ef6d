"""The gated run that is measured: a step, an approval, a step."""

from signoff import Run, workflow


async def add_one(number: int) -> int:
    """As little work as a step can do."""
    return number + 1


@workflow(name="bench-gated")
async def gated(run: Run, number: int) -> int:
    """Start, step A, an approval that somebody outside decides, step B, done."""
    first = await run.step(add_one, number, name="a")
    await run.approval(
        "Go on?", action="bench", approvers="person:bench", ladder=["reject after 1d"]
    )
    return await run.step(add_one, first, name="b")
