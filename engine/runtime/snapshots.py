"""What a checkpoint keeps: the run's state in five parts, and the three layers that people read."""

from collections.abc import Mapping

from engine.store.journal import Entry
from engine.store.runs import Claim


def snapshot(
    claim: Claim, *, name: str, state: Mapping[str, object], asked: str | None, task: str | None
) -> dict[str, object]:
    """The snapshot of a run at this moment: memory, calls, outputs, trace, resources; asked, task, context."""
    finished = [entry for entry in claim.entries if entry.kind == "step.finished"]
    return {
        "run": claim.run.id,
        "workflow": claim.run.workflow,
        "checkpoint": name,
        "memory": dict(state),
        "calls": [_call(entry) for entry in claim.entries if entry.kind == "step.begun"],
        "outputs": {entry.name or entry.path or "": entry.data.get("result") for entry in finished},
        "trace": [f"{entry.kind} {entry.name or ''}".strip() for entry in claim.entries],
        "resources": {"steps": len(finished)},
        "asked": asked,
        "task": {"input": dict(claim.run.input), "now": task},
        "context": {"version": claim.run.version, "started_by": claim.run.started_by},
    }


def _call(entry: Entry) -> dict[str, object]:
    return {"fn": entry.data.get("fn"), "arguments": entry.data.get("arguments")}
