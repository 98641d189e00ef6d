"""What a checkpoint keeps: the run's state in five parts, and the three layers that people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from engine.clock import from_iso, iso
from engine.rules.wording import is_table
from engine.store import points
from engine.store.journal import Entry
from engine.store.runs import RunRow
from engine.store.spent import spent_by
from engine.store.steps import money_and_tokens
from signoff.undoing import REQUEST_NAME

SUMMARY_CHARS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the code says at a checkpoint: its memory, what is asked of people, and what it is doing."""

    name: str
    state: Mapping[str, object]
    asked: str | Mapping[str, object] | None = None
    task: str | Mapping[str, object] | None = None


def snapshot(run: RunRow, journal: Sequence[Entry], told: Told) -> dict[str, object]:
    """The snapshot of a run at this moment.

    The parts are memory, calls, outputs, trace and resources. The layers say the same to an approver
    (`asked`), to whoever knows the task (`task`), and to whoever knows the code (`context`).
    """
    alive = points.live(journal)
    finished = [entry for entry in alive if entry.kind == "step.finished"]
    outputs = _outputs(finished)
    position = journal[-1].position if journal else 0
    return {
        "id": f"{run.id}@{position}",
        "run": run.id,
        "workflow": run.workflow,
        "checkpoint": told.name,
        "at": iso(journal[-1].at) if journal else None,
        "memory": dict(told.state),
        "calls": _calls(alive),
        "outputs": outputs,
        "trace": [f"{entry.kind} {entry.name or ''}".strip() for entry in alive],
        "resources": _resources(alive, journal),
        "asked": _layer(told.asked, "summary"),
        "task": {**_layer(told.task, "now"), "input": dict(run.input), "outputs": list(outputs)},
        "context": {
            "version": run.version,
            "started_by": run.started_by,
            "parts": ["memory", "calls", "resources", "trace"],
        },
    }


def _layer(given: str | Mapping[str, object] | None, name: str) -> dict[str, object]:
    if given is None:
        return {}
    return {name: given} if isinstance(given, str) else dict(given)


def _outputs(finished: Sequence[Entry]) -> dict[str, object]:
    found: dict[str, object] = {}
    for entry in finished:
        name, number = entry.name or entry.path or "", 1
        while (key := name if number == 1 else f"{name} {number}") in found:
            number += 1
        found[key] = entry.data.get("result")
    return found


def _calls(alive: Sequence[Entry]) -> list[dict[str, object]]:
    """Every call of the outside world: what was sent, how it ended, and the beginning of the answer."""
    sent = {entry.path: entry.data for entry in reversed(alive) if "arguments" in entry.data}
    return [
        {
            "step": entry.name,
            "path": entry.path,
            **_sent(sent.get(entry.path, {}), entry.data.get("result")),
            "status": entry.kind.partition(".")[2],
            "at": iso(entry.at),
            "response": _summary(entry.data.get("result", entry.data.get("error"))),
        }
        for entry in alive
        if entry.kind in {"step.finished", "step.failed"}
    ]


def _sent(told: Mapping[str, Any], result: Any) -> dict[str, object]:
    """What was called and with what; of a request also where it went, and which status came back."""
    called: dict[str, object] = {"fn": told.get("fn"), "arguments": told.get("arguments")}
    if called["fn"] != REQUEST_NAME or "args" not in told["arguments"]:
        return called
    method, url = told["arguments"]["args"]
    answered = result.get("status") if is_table(result) else None
    return {**called, "method": method, "endpoint": url, "answered": answered}


def _resources(alive: Sequence[Entry], journal: Sequence[Entry]) -> dict[str, object]:
    """What its steps took so far. What was spent on what it left behind since is spent all the same."""
    ended = [entry for entry in alive if entry.kind in {"step.finished", "step.failed"}]
    seconds = sum(_seconds(entry.data.get("started_at"), entry.at) for entry in ended)
    return {
        "steps": sum(entry.kind == "step.finished" for entry in ended),
        "calls": len(ended),
        "seconds": round(seconds, 3),
        "approvals": sum(entry.kind == "approval.decided" for entry in alive),
        **money_and_tokens(spent_by(journal).total),
    }


def _seconds(began: Any, ended: datetime) -> float:
    return (ended - from_iso(began)).total_seconds() if isinstance(began, str) else 0.0


def _summary(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SUMMARY_CHARS else f"{text[:SUMMARY_CHARS]}…"
