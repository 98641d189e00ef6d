"""What is answered about runs and approvals, as described; whatever else is in it is there to stay."""

from datetime import datetime
from typing import Any

from bot.web.api.changed_shapes import (
    Answer,
    Decision,
    Effective,
    FieldChange,
    Outcome,
    Progress,
    Vote,
)
from engine.rules.states import ApprovalStatus, RunStatus


class Message(Answer):
    """One place where an approval is shown."""

    channel: str
    target: str
    state: str


class NextRung(Answer):
    """What happens next if nobody does anything."""

    text: str
    due_at: datetime


class Children(Answer):
    """How many of the runs have completed that `of`, a workflow's run, started."""

    of: str
    done: int
    all: int


class Approval(Answer):
    """One approval as it stands. `digest` covers exactly what is approved.

    Where approvers may change `fields`, their `proposed` values, the `decided` ones and what is
    `effective` are kept apart; what nobody may change has none of them. `tree` are the runs from the
    root down to its own, empty at the root; `children` those beside it, or at the root its own.
    """

    id: str
    run: str
    tree: list[dict[str, str]]
    children: Children | None
    status: ApprovalStatus
    version: int
    digest: str
    action: str
    title: str
    kind: str
    fields: list[str] | None
    form: dict[str, Any] | None
    details: dict[str, Any]
    proposed: dict[str, Any] | None
    decided: dict[str, Any] | None
    effective: Effective | None
    differences: list[FieldChange]
    outcomes: list[Outcome]
    call: dict[str, Any] | None
    requester: str
    requester_name: str
    requester_is_verified: bool
    approvers: list[str]
    progress: Progress
    votes: list[Vote]
    decision: Decision | None
    messages: list[Message]
    next_rung: NextRung | None
    opened_at: datetime
    expires_at: datetime | None


class ApprovalPage(Answer):
    """Approvals, newest first."""

    approvals: list[Approval]
    next: str | None


class Asked(Answer):
    """An approval that was opened. `callback_secret` is given once, with a `callback_url`."""

    id: str
    run: str
    status: ApprovalStatus
    version: int
    digest: str
    status_url: str
    page_url: str
    expires_at: datetime | None
    callback_secret: str | None = None


class Receipt(Answer):
    """What became of a vote, with a sentence that can be shown."""

    recorded: bool
    counted: bool
    status: ApprovalStatus
    message: str


class Started(Answer):
    """A run that will be taken up by the next free worker. `notify_secret` signs what addresses are told."""

    id: str
    status: RunStatus
    status_url: str
    notify_secret: str | None = None


class Waiting(Answer):
    """Why a run does not go on by itself."""

    reason: str
    approval: str | None
    child: str | None


class RunLine(Answer):
    """A run in a list. In a `sandbox` none of its steps is done."""

    id: str
    workflow: str
    version: str
    status: RunStatus
    waiting_for: Waiting | None
    held_up: str | None
    sandbox: bool
    started_by: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class RunPage(Answer):
    """Runs, newest first."""

    runs: list[RunLine]
    next: str | None


class Step(Answer):
    """One thing that a run's code asked for.

    An approval goes by its title. Its `status` is `waiting`, then how it ended: `approved`, `rejected`,
    `expired`, `cancelled` or `changes_requested`. Others are `begun`, `waiting`, `finished`, `failed`
    or `skipped`.
    """

    position: int
    name: str
    kind: str
    status: str
    attempts: int
    started_at: datetime
    ended_at: datetime | None
    cost: str | None
    tokens: int | None


class Run(RunLine):
    """A run as it stands, the runs `above` it, when it was first taken up, and what its journal adds up to."""

    started_at: datetime | None
    started_by_name: str
    notify: list[str]
    input: dict[str, Any]
    result: Any
    error: dict[str, Any] | None
    steps: list[Step]
    approvals: list[Approval]
    checkpoints: list[dict[str, Any]]
    rollback: dict[str, Any] | None
    held: dict[str, Any] | None
    unknown: list[dict[str, Any]]
    monitor: dict[str, Any]
    budget: dict[str, Any] | None
    root: str
    above: list[dict[str, str]]
    children: list[dict[str, Any]]
    summary: dict[str, Any]


class Undone(Answer):
    """A step that would be undone, by which function, its kind, and whom it needs to ask first."""

    step: str
    undo: str
    kind: str
    needs: Any


class Staying(Answer):
    """A step that would stay done, and why."""

    step: str
    why: str


class RollbackPlan(Answer):
    """What a rollback would do now: back to where, what it undoes, newest first, and what stays."""

    to: str
    position: int
    undoes: list[Undone]
    stays: list[Staying]


class Operated(Answer):
    """What an operator's verb did to a run."""

    id: str
    status: RunStatus


class NotAdopted(Answer):
    """A run that goes on waiting with the code it began with, and why."""

    id: str
    why: str


class AdoptedAll(Answer):
    """Which runs were changed over, which were not, and whether there are more."""

    adopted: list[str]
    refused: list[NotAdopted]
    more: bool


class Entry(Answer):
    """One line of a run's journal, chained to the one before it by its hash."""

    position: int
    kind: str
    name: str | None
    data: dict[str, Any]
    at: datetime
    hash: str
    previous: str


class Journal(Answer):
    """A page of a run's journal, oldest first."""

    entries: list[Entry]
    next: str | None


class Checkpoints(Answer):
    """A run's checkpoints, oldest first."""

    checkpoints: list[dict[str, Any]]


class Difference(Answer):
    """From one value to another; the keys are JSON pointers."""

    added: dict[str, Any]
    removed: dict[str, Any]
    changed: dict[str, dict[str, Any]]


class Kept(Answer):
    """Under which address bytes are kept."""

    address: str


class Replayed(Answer):
    """Whether a run's journal leads to the state that is stored, and where it does not."""

    equal: bool
    differences: list[str]
