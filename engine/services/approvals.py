"""Asking for consent: opening an approval for a run, asking without a workflow, and reading what was asked."""

from collections.abc import Sequence
from dataclasses import replace

from engine.clock import iso
from engine.ids import PersonId, RunId, TenantId
from engine.rules.changes import change_approval
from engine.rules.states import RunStatus
from engine.store import (
    announcements,
    answerable,
    approvals,
    drawing,
    eligibility,
    journal,
    keys,
    points,
    runs,
    timers,
)
from engine.store.answerable import Nearest
from engine.store.approvals import ApprovalRow, Wanted
from engine.store.database import Transaction
from engine.store.journal import NewEntry, released
from engine.store.open_cap import OpenCap
from engine.store.pictures import ApprovalPicture
from engine.store.requests import (
    ASK,
    DEFAULT_LADDER,
    DETAILS_BYTES_MAX,
    Asking,
    Request,
    prepare,
)

__all__ = [
    "ASK",
    "ASK_VERSION",
    "COUNTED_TO",
    "DEFAULT_LADDER",
    "DETAILS_BYTES_MAX",
    "Asking",
    "Nearest",
    "OpenCap",
    "Request",
    "Wanted",
    "ask",
    "count_of",
    "counted",
    "counts",
    "drawn",
    "inbox_of",
    "open_for_run",
    "page",
    "picture",
    "prepare",
]

ASK_VERSION = "1"
COUNTED_TO = 1_000  # of a list that is longer nobody needs the number


def open_for_run(
    tx: Transaction,
    tenant: TenantId,
    request: Request,
    asking: Asking,
    *,
    before: Sequence[NewEntry] = (),
    cap: OpenCap | None = None,
) -> ApprovalRow:
    """Open an approval on which `asking.run` waits; the run's lease is given back in the same transaction,
    unless only a branch of it waits.

    What the run's driver had still to journal `before` goes along. Asked again after changes were
    requested, it is the next version of the same approval.

    Raises:
        Invalid: as `prepare`. LeaseLost: if the run is driven by somebody else by now.
        ImpossibleChange: if it is asked again and was not sent back.
        TooManyOpen: if `asking.asked_by` has as many open as `cap` has.
    """
    if cap is not None and asking.asked_by is not None:
        cap.demand(tx, tenant, asking.asked_by)
    row = prepare(tx, tenant, _without_makers(tx, tenant, request, asking), asking)
    if request.rollback_to is not None:
        # Whoever votes is shown what a rejection undoes, so there must be such a place.
        points.target(journal.entries(tx, asking.run), request.rollback_to)
    if asking.again is None:
        approvals.insert_new(tx, row)
    else:
        row = _next_round(tx, tenant, row)
    opened = NewEntry(
        kind="approval.opened",
        name=row.content.action,
        path=row.path,
        data={
            **_opened(row),
            "rollback_to": request.rollback_to,
            **({"to": RunStatus.RUNNING} if asking.is_branch else {}),
        },
    )
    waiting = None if asking.is_branch else released(ready_at=None, awaits=row.id)
    journal.append(tx, row.run, [*before, opened], token=asking.token, changes=waiting)
    timers.arm(tx, tenant, row.id, start=row.opened_at, ladder=row.ladder)
    announcements.post(tx, row, lambda: eligibility.electorate(tx, row).pool - row.excluded)
    announcements.post_callback(tx, row)
    if asking.again is not None:
        announcements.renew_links(tx, row)
        announcements.announce(tx, row, "approval.edited")
    tx.hint("approvals")
    return row


def ask(
    tx: Transaction,
    tenant: TenantId,
    request: Request,
    *,
    started_by: str,
    owner: str | None,
    cap: OpenCap | None = None,
) -> ApprovalRow:
    """Ask without a workflow: a run of the built-in workflow, waiting on its approval from the start.

    Raises:
        Invalid: as `prepare`; nothing is kept then.
        TooManyOpen: if whoever asks has as many open as `cap` has; nothing is kept then either.
    """
    run = RunId(tx.ids.new("run"))
    asked = {"title": request.title, "action": request.action}
    new = runs.NewRun(
        id=run,
        tenant=tenant,
        workflow=ASK,
        version=ASK_VERSION,
        input=asked,
        started_by=started_by,
        owner=owner,
    )
    runs.begin(tx, new, is_ready=False)
    asking = Asking(run=run, path="0", asked_by=started_by)
    return open_for_run(tx, tenant, request, asking, cap=cap)


def picture(tx: Transaction, tenant: TenantId, approval: str) -> ApprovalPicture:
    """Everything shown of one approval.

    Raises:
        NotFound: if this tenant has no such approval.
    """
    return drawing.picture(tx, tenant, approval)


def page(
    tx: Transaction, tenant: TenantId, wanted: Wanted, *, answerable_by: PersonId | None = None
) -> list[ApprovalPicture]:
    """Approvals, newest first; with `answerable_by` only open ones that this person can decide."""
    if answerable_by is not None:
        return drawing.pictures(tx, answerable.page(tx, tenant, wanted, answerable_by))
    return drawing.pictures(tx, approvals.page(tx, tenant, wanted))


def inbox_of(
    tx: Transaction, tenant: TenantId, person: PersonId, wanted: Nearest
) -> list[ApprovalRow]:
    """The open approvals that `person` can still decide, those with the nearest deadline first."""
    return answerable.nearest(tx, tenant, person, wanted)


def count_of(tx: Transaction, tenant: TenantId, person: PersonId) -> int:
    """How many these are; `COUNTED_TO` where they are as many or more."""
    return answerable.count(tx, tenant, person, most=COUNTED_TO)


def counted(count: int) -> str:
    """What `count_of` gave, as people are told it."""
    return f"{count}+" if count >= COUNTED_TO else str(count)


def drawn(tx: Transaction, rows: Sequence[ApprovalRow]) -> list[ApprovalPicture]:
    """The pictures of these approvals, in their order."""
    return drawing.pictures(tx, rows)


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many approvals are in each state."""
    return approvals.counts(tx, tenant)


def _without_makers(tx: Transaction, tenant: TenantId, request: Request, asking: Asking) -> Request:
    # Else one person could make a key in another's name, and approve what they ask with it.
    starters = [who for who in (asking.started_by, asking.asked_by) if who is not None]
    makers = keys.makers(tx, tenant, starters)
    return replace(request, excluded=request.excluded | makers) if makers else request


def _next_round(tx: Transaction, tenant: TenantId, row: ApprovalRow) -> ApprovalRow:
    before = approvals.get(tx, tenant, row.id, lock=True)
    change_approval(before.status, "approval.opened", row.status)
    again = approvals.next_version(row, before)
    approvals.replace(tx, again)
    approvals.insert_version(tx, again, edited_by=again.requester)
    timers.forget(tx, again.id)
    return again


def _opened(row: ApprovalRow) -> dict[str, object]:
    return {
        "approval": row.id,
        "version": row.version,
        "digest": row.digest,
        "content": row.content.to_json(),
        "requester": row.requester,
        "excluded": sorted(row.excluded),
        "on_reject": row.on_reject,
        "expires_at": None if row.expires_at is None else iso(row.expires_at),
    }
