"""Runs: started, watched, and operated when they are stuck."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api import following, shapes
from bot.web.api.once import IdempotencyKey, answered, once
from bot.web.api.paging import Cursor, Id, Limit, Position, cut
from bot.web.api.reasons import Because
from bot.web.callers import CurrentCaller, Operator, Reader, Scoped, Starter
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.errors import Invalid, NotAllowed
from engine.ids import RunId
from engine.rules.sandboxes import parse_sandbox
from engine.rules.states import RunStatus
from engine.rules.threads import thread_from
from engine.services import adopting, budgets, rolling_back, runs
from engine.services.keys import Caller, Scope
from engine.services.runs import moments
from engine.store.database import Transaction
from engine.store.runs import NewRun, RunRow

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)


class StartBody(BaseModel):
    """Which workflow to start, and what it is given."""

    model_config = ConfigDict(extra="forbid")

    workflow: Annotated[str, Field(max_length=200, examples=["refund"])]
    input: dict[str, Any] = Field(default_factory=dict, examples=[{"order": "17"}])
    budget: Annotated[dict[str, Any] | None, Field(examples=[{"usd": "10.00"}])] = None
    notify: Annotated[
        str | list[str],
        Field(
            description="Who is told when it waits, is stuck or ends.", examples=[["slack:#ops"]]
        ),
    ] = []
    sandbox: Annotated[
        bool | dict[str, Any],
        Field(
            description="Do no step: true, or what steps are to answer instead, by their names.",
            examples=[{"charge": {"id": "ch_1"}}],
        ),
    ] = False


Traceparent = Annotated[
    str | None,
    Header(description="The trace that the run belongs to (W3C); one that is none is overlooked."),
]


@router.post(
    "",
    summary="Start a run",
    status_code=201,
    response_model=shapes.Started,
    responses=refusals(409, 413, 415),
)
async def start(
    caller: Starter,
    application: Scoped,
    body: StartBody,
    key: IdempotencyKey = None,
    traceparent: Traceparent = None,
) -> JSONResponse:
    """Start a run; its input is checked against the workflow before anything is kept."""
    await application.workflows.follow(body.workflow, application.database)
    workflow = application.workflows.check(body.workflow, body.input)
    notify = following.demanded(application, body.notify)
    sandbox = _sandbox(body)
    asked = once(caller, key, "/api/runs", body)

    def begin(tx: Transaction) -> dict[str, Any]:
        run = RunId(tx.ids.new("run"))
        thread = thread_from(traceparent, run=run, share=application.traces_share)
        new = NewRun(
            id=run,
            tenant=caller.tenant,
            workflow=workflow.name,
            version=workflow.version,
            input=body.input,
            started_by=caller.subject,
            owner=caller.owner,
            trace=None if thread is None else thread.to_json(),
            notify=notify,
            sandbox=sandbox,
        )
        runs.start(tx, new)
        if body.budget is not None:
            budgets.of_run(tx, caller.tenant, run, body.budget, by=caller.subject)
        return {
            "id": run,
            "status": RunStatus.CREATED,
            "status_url": f"/api/runs/{run}",
            "page_url": f"/runs/{run}",
        }

    answer = await application.database.write(lambda tx: answered(tx, asked, lambda: begin(tx)))
    told = {**answer, **following.secret(application, notify, run=answer["id"])}
    return JSONResponse(told, 201, {"Location": answer["status_url"]})


@router.get("", summary="List runs", response_model=shapes.RunPage, responses=refusals())
async def listing(
    _caller: Reader,
    application: Scoped,
    status: Annotated[RunStatus | None, Query(description="Only those in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JSONResponse:
    """Runs, newest first."""
    before = None if cursor is None else RunId(cursor)

    def listed(tx: Transaction) -> tuple[list[RunRow], dict[RunId, str]]:
        rows = runs.page(tx, application.tenant, status=status, before=before, limit=limit + 1)
        return rows, adopting.held_up(tx, rows)

    found, held_up = await application.database.read(listed)
    page, last = cut(found, limit)
    following = None if last is None else last.id
    lines = [_line(row, held_up.get(row.id)) for row in page]
    return JSONResponse({"runs": lines, "next": following})


@router.get("/{id}", summary="Read a run", response_model=shapes.Run, responses=refusals(404))
async def one(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """One run: its steps, approvals, checkpoints, and what was undone."""
    picture = await application.database.read(
        lambda tx: runs.picture(tx, application.tenant, RunId(id))
    )
    return JSONResponse(picture.to_json())


@router.get(
    "/{id}/journal",
    summary="Read a run's journal",
    response_model=shapes.Journal,
    responses=refusals(404),
)
async def journal(
    _caller: Reader, application: Scoped, id: Id, cursor: Position = None, limit: Limit = 100
) -> JSONResponse:
    """The run's journal, oldest first."""
    after = -1 if cursor is None else int(cursor)
    found = await application.database.read(
        lambda tx: runs.entries(tx, application.tenant, RunId(id), after=after, limit=limit + 1)
    )
    page, last = cut(found, limit)
    following = None if last is None else str(last.position)
    return JSONResponse({"entries": [entry.to_json() for entry in page], "next": following})


@router.get(
    "/{id}/replay",
    summary="Check a run's state against its journal",
    response_model=shapes.Replayed,
    responses=refusals(404),
)
async def replay(_caller: Reader, application: Scoped, id: Id) -> JSONResponse:
    """Rebuild the run's state from its journal, and say whether it equals the stored one."""
    differences = await application.database.read(
        lambda tx: runs.verify(tx, application.tenant, RunId(id))
    )
    return JSONResponse({"equal": not differences, "differences": differences})


@router.post(
    "/{id}/cancel",
    summary="Stop a run",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def cancel(caller: CurrentCaller, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Stop the run where it is. Nothing is undone; `stays` names the steps that stay done.

    For operators, and for the key that started it, which does not stop a rollback.
    """
    run = RunId(id)

    def stop(tx: Transaction) -> tuple[str, ...]:
        _demand_own(tx, caller, runs.find(tx, caller.tenant, run))
        return runs.cancel(tx, caller.tenant, run, by=caller.subject, reason=body.reason)

    stays = await application.database.write(stop)
    return JSONResponse({"id": run, "status": RunStatus.CANCELLED, "stays": list(stays)})


@router.post(
    "/{id}/retry",
    summary="Let a stuck run go on",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def retry(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Let a run go on that is stuck in a compensation, or stopped because its code had changed."""
    run = RunId(id)

    def again(tx: Transaction) -> RunRow:
        runs.retry(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
        return runs.find(tx, caller.tenant, run)

    row = await application.database.write(again)
    return JSONResponse({"id": run, "status": row.status})


@router.post(
    "/{id}/release",
    summary="Let a run in quarantine go on",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def release(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Let a run go on that was set aside because it ended its workers; it has all its tries again."""
    run = RunId(id)
    status = await application.database.write(
        lambda tx: runs.release(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
    )
    return JSONResponse({"id": run, "status": status})


@router.post(
    "/{id}/resume",
    summary="Let a held run go on",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def resume(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Let a run go on that is paused, as all are that came back from a backup, from where it stood."""
    run = RunId(id)
    status = await application.database.write(
        lambda tx: runs.resume(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
    )
    return JSONResponse({"id": run, "status": status})


@router.post(
    "/{id}/skip",
    summary="Leave a stuck step as it is",
    response_model=shapes.Operated,
    responses=refusals(404, 409, 413, 415),
)
async def skip(caller: Operator, application: Scoped, id: Id, body: Because) -> JSONResponse:
    """Leave the step whose compensation is stuck as it is, and go on undoing the others."""
    run = RunId(id)

    def leave(tx: Transaction) -> tuple[str, RunRow]:
        left = rolling_back.skip(tx, caller.tenant, run, by=caller.subject, reason=body.reason)
        return left, runs.find(tx, caller.tenant, run)

    left, row = await application.database.write(leave)
    return JSONResponse({"id": run, "status": row.status, "skipped": left})


def _sandbox(body: StartBody) -> Mapping[str, object] | None:
    if body.sandbox is not False and body.budget is not None:
        raise Invalid("A run in a sandbox spends nothing; give it no budget.", code="bad_sandbox")
    return parse_sandbox(body.sandbox)


def _demand_own(tx: Transaction, caller: Caller, row: RunRow) -> None:
    if Scope.OPERATE in caller.scopes:
        return
    started_it = row.started_by == caller.subject and Scope.RUNS_START in caller.scopes
    if not started_it or rolling_back.is_going_back(tx, row.id):
        raise NotAllowed(
            "This is for operators, and for the key that started it until it is rolled back.",
            code="not_yours",
        )


def _line(row: RunRow, held_up: str | None) -> dict[str, object]:
    return {
        "id": row.id,
        "workflow": row.workflow,
        "version": row.version,
        "status": row.status,
        "waiting_for": runs.waiting_for(row),
        "held_up": held_up,
        "sandbox": row.sandbox is not None,
        "started_by": row.started_by,
        **moments(row),
    }
