"""How a run ends by itself: completed, failed, or stopped because its code is another than its journal's."""

from collections.abc import Mapping

import structlog

from engine.errors import EngineError, WorkflowChanged
from engine.runtime.context import RunContext
from engine.services import driving
from engine.store.journal import NewEntry
from signoff.outcomes import ApprovalEnded, BudgetExceeded

log = structlog.get_logger("engine.runtime")


async def complete(context: RunContext, result: object) -> None:
    """End the run with what its code returned."""
    entry = NewEntry(kind="run.completed", data={"result": result})
    await context.unwritten.write(
        lambda tx, before: driving.finish(tx, context.driven, entry, before=before, result=result)
    )
    log.info("run.completed", run=context.id)


async def end_failed(context: RunContext, error: Mapping[str, object]) -> None:
    """End the run with what went wrong."""
    entry = NewEntry(kind="run.failed", data={"error": error})
    await context.unwritten.write(
        lambda tx, before: driving.finish(tx, context.driven, entry, before=before, error=error)
    )
    log.warning("run.failed", run=context.id, code=error["code"])


async def stop_changed(context: RunContext, error: WorkflowChanged) -> None:
    """Give the run back until somebody brings the code that its journal was made by."""
    said = {"path": error.path, "recorded": error.recorded, "requested": error.requested}
    entry = NewEntry(kind="run.changed", data={**said, "message": str(error)})
    await context.unwritten.write(
        lambda tx, before: driving.stop(tx, context.driven, [*before, entry])
    )
    log.error("run.changed", run=context.id, **said)


def code_of(error: BaseException) -> str:
    """What the journal calls it."""
    if isinstance(error, ApprovalEnded):
        return error.outcome
    return error.code if isinstance(error, EngineError) else type(error).__name__


def told(error: BaseException) -> Mapping[str, object]:
    """What the journal says of an error of the run's code."""
    if isinstance(error, BudgetExceeded):
        return error.to_json()
    return {"code": code_of(error), "message": str(error) or code_of(error)}
