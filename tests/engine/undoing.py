"""The workflows that go back: to checkpoints, with feedback, after failures, and with consent."""

from typing import Final, Literal

from signoff import Compensation, Rejected, Run, StepFailed, workflow
from tests.engine.flows import deed, undo

BOTH: Final = ["prepare build", "build", "prepare ship", "ship"]  # what `staged` does


@workflow(name="staged", max_rollbacks=2)
async def staged(
    run: Run,
    on_reject: Literal["rollback", "fail", "resume"] = "rollback",
    back_to: str = "approved",
) -> list[str]:
    """Two stages with a checkpoint and an approval each."""
    done: list[str] = []
    for stage in ("build", "ship"):
        if run.feedback is not None:
            done.append(f"told {run.feedback}")
        done.append(str(await run.step(deed, f"prepare {stage}", name=f"prepare {stage}")))
        await run.checkpoint(f"before {stage}", state={"stage": stage})
        done.append(str(await run.step(deed, stage, name=stage, undo=undo)))
        await run.approval(
            f"Keep {stage}?",
            action=stage,
            approvers="group:release",
            ladder=["reject after 4h"],
            on_reject=on_reject,
            rollback_to=back_to,
        )
    return done


@workflow(name="careful")
async def careful(run: Run, retries: int | None = None) -> str:
    """An undo that people must agree to."""
    await run.step(deed, "plain", name="plain", undo=undo)
    dangerous = Compensation(undo, retries=retries, timeout="30s", needs="group:finance")
    await run.step(deed, "dangerous", name="dangerous", undo=dangerous)
    await run.approval("Keep it?", approvers="person:ana", ladder=["reject after 4h"])
    return "kept"


@workflow(name="delicate")
async def delicate(run: Run) -> str:
    """An undo that must not be done twice, between two others of another kind."""
    once = Compensation(undo, irreversible=True, kind="booking")
    await run.step(deed, "first", name="first", undo=Compensation(undo, kind="letter"))
    await run.step(deed, "booked", name="booked", undo=once)
    await run.step(deed, "last", name="last", undo=undo)
    await run.approval("Keep it?", approvers="person:ana", ladder=["reject after 4h"])
    return "kept"


@workflow(name="fragile-undone", on_failure="rollback")
async def fragile_undone(run: Run) -> str:
    """Undone by itself when it fails."""
    await run.step(deed, "first", name="first", undo=undo)
    return str(await run.step(deed, "fragile", name="fragile"))


@workflow(name="fragile-resumed", on_failure={"Broken": "resume", "*": "fail"}, max_rollbacks=2)
async def fragile_resumed(run: Run) -> str:
    """Goes on from its latest checkpoint when it fails as expected."""
    await run.step(deed, "first", name="first", undo=undo)
    await run.checkpoint("half")
    return str(await run.step(deed, "fragile", name="fragile"))


@workflow(name="fragile")
async def fragile(run: Run) -> str:
    """Fails, and is left to operators."""
    await run.step(deed, "first", name="first", undo=undo)
    await run.step(deed, "second", name="second", undo=undo)
    try:
        return str(await run.step(deed, "fragile", name="fragile"))
    except StepFailed as failure:
        raise ValueError(f"gave up: {failure}") from failure


@workflow(name="layered")
async def layered(run: Run) -> str:
    """A checkpoint that says all it may."""
    await run.step(deed, "work", name="work", cost={"usd": "0.25", "tokens": 900})
    return await run.checkpoint(
        "worked",
        state={"facts": ["x" * 4000]},
        asked={"summary": "Tidied", "confidence": 0.9},
        task={"next_steps": ["rest"]},
    )


@workflow(name="kept-at-approvals", checkpoints="approvals")
async def kept_at_approvals(run: Run) -> str:
    """Checkpoints before people are asked."""
    return await _published(run)


@workflow(name="kept-at-steps", checkpoints="steps")
async def kept_at_steps(run: Run) -> str:
    """Checkpoints before all that matters."""
    return await _published(run)


async def _published(run: Run) -> str:
    await run.step(deed, "read", name="read")
    await run.step(deed, "write", name="write", undo=undo)
    await run.approval("Publish?", action="publish", approvers="person:ana")
    return "published"


@workflow(name="telling")
async def telling(run: Run) -> list[str | None]:
    """Tells what its second rejection names."""
    await run.checkpoint("first")
    await run.approval("First?", approvers="person:ana", ladder=["reject after 4h"])
    await run.checkpoint("second")
    try:
        await run.approval("Second?", approvers="person:ana", ladder=["reject after 4h"])
    except Rejected as no:
        return [no.checkpoint, no.last_approved]
    return []


@workflow(name="paid", max_rollbacks=2)
async def paid(run: Run, on_reject: Literal["rollback", "resume"] = "resume") -> str:
    """What it does behind its checkpoint happens once and for good."""
    await run.checkpoint("before paying")
    await run.step(deed, "prepare", name="prepare", undo=undo)
    await run.step(deed, "pay", name="pay", irreversible=True)
    await run.checkpoint("after paying")
    await run.approval(
        "Keep it?",
        approvers="group:release",
        ladder=["reject after 4h"],
        on_reject=on_reject,
        rollback_to="before paying",
    )
    return "kept"
