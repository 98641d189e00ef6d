"""Asking for consent: opening an approval for a run, asking without a workflow, and reading what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.clock import iso
from engine.digest import canonical, tagged_digest
from engine.errors import Invalid
from engine.ids import ApprovalId, LeaseToken, PersonId, RunId, TenantId
from engine.rules.approvers import Approver, ApproverKind, parse_approvers
from engine.rules.content import Content, Policy, check_words
from engine.rules.ladder import expires_at, parse_ladder
from engine.rules.quorum import QuorumSpec, freeze, parse_quorum
from engine.rules.routing import Routing
from engine.rules.states import ApprovalStatus
from engine.store import (
    announcements,
    approvals,
    electorates,
    eligibility,
    journal,
    pictures,
    routings,
    runs,
    timers,
)
from engine.store.approvals import DIGEST_TAG, ApprovalRow, Wanted
from engine.store.database import Transaction
from engine.store.journal import NewEntry, released
from engine.store.pictures import ApprovalPicture

ASK = "ask"  # the built-in workflow behind an approval that no workflow asked for
DEFAULT_LADDER = ("reject after 1d",)
DETAILS_BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks, as written; nothing in it is trusted yet."""

    title: str
    action: str
    approvers: object
    quorum: object = 1
    reject_quorum: int = 1
    ladder: object = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    call: Mapping[str, object] | None = None
    risk: str = "medium"
    comment: str = "optional"
    requester: str = "workflow"
    excluded: frozenset[PersonId] = frozenset()
    routes: Mapping[str, object] | None = None
    callback_url: str | None = None
    on_reject: str = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where in a run the request comes up. `again` is the approval whose next round it is."""

    run: RunId
    path: str
    token: LeaseToken | None = None
    again: ApprovalId | None = None


def prepare(tx: Transaction, tenant: TenantId, request: Request, asking: Asking) -> ApprovalRow:
    """Check everything that could make the request undecidable, and freeze it.

    Raises:
        Invalid: naming what to mend: unknown approvers, a quorum nobody can reach, a ladder that
            never ends, a channel that is not configured, details that have no canonical form.
    """
    check_words(
        title=request.title, action=request.action, risk=request.risk, comment=request.comment
    )
    if request.on_reject not in {"rollback", "fail"}:
        raise Invalid("on_reject is rollback or fail.", code="bad_on_reject")
    ladder = parse_ladder(request.ladder or DEFAULT_LADDER, risk=request.risk)
    quorum = parse_quorum(request.quorum)
    named = _named(request.approvers, quorum)
    requester = eligibility.requesting_person(request.requester)
    excluded = request.excluded | (frozenset({requester}) if requester else frozenset[PersonId]())

    def people(asked: Sequence[Approver]) -> frozenset[PersonId]:
        found = electorates.resolve(tx, tenant, asked, requester=requester, strict=True)
        return found - excluded

    for rung in ladder:
        people(rung.to)
    members = {
        name: people((Approver(kind=ApproverKind.GROUP, value=name),))
        for name in (quorum if isinstance(quorum, Mapping) else ())
    }
    frozen = freeze(
        quorum,
        eligible_count=len(people(named)),
        reject_quorum=request.reject_quorum,
        groups={name: len(found) for name, found in members.items()},
        members=members,
    )
    policy = Policy(
        quorum=frozen,
        ladder=tuple(rung.text for rung in ladder),
        risk=request.risk,
        comment=request.comment,
    )
    content = Content(
        tenant=tenant,
        action=request.action,
        title=request.title,
        call=request.call,
        details=request.details,
        policy=policy,
        approvers=named,
    )
    if len(canonical(content.to_json())) > DETAILS_BYTES_MAX:
        raise Invalid(
            f"The request is larger than {DETAILS_BYTES_MAX} bytes. Put large content behind a link.",
            code="too_large",
        )
    return ApprovalRow(
        id=asking.again or ApprovalId(tx.ids.new("apr")),
        tenant=tenant,
        run=asking.run,
        path=asking.path,
        status=ApprovalStatus.OPEN,
        version=1,
        content=content,
        digest=tagged_digest(DIGEST_TAG, content.to_json()),
        requester=request.requester,
        excluded=frozenset(excluded),
        routing=_routing(tx, tenant, request).to_json(),
        callback_url=request.callback_url,
        ladder=ladder,
        widened=(),
        decision=None,
        on_reject=request.on_reject,
        opened_at=tx.now,
        expires_at=expires_at(tx.now, ladder),
        ended_at=None,
        consumed_at=None,
    )


def open_for_run(
    tx: Transaction, tenant: TenantId, request: Request, asking: Asking
) -> ApprovalRow:
    """Open an approval on which `asking.run` waits; the run's lease is given back in the same transaction.

    Asked again after changes were requested, it is the next version of the same approval.

    Raises:
        Invalid: as `prepare`. LeaseLost: if the run is driven by somebody else by now.
    """
    row = prepare(tx, tenant, request, asking)
    if asking.again is None:
        approvals.insert_new(tx, row)
    else:
        row = _next_round(tx, tenant, row)
    opened = NewEntry(
        kind="approval.opened", name=row.content.action, path=row.path, data=_opened(row)
    )
    waiting = released(ready_at=None, awaits=row.id)
    journal.append(tx, row.run, [opened], token=asking.token, changes=waiting)
    timers.arm(tx, tenant, row.id, start=row.opened_at, ladder=row.ladder)
    announcements.post(tx, row, eligibility.electorate(tx, row).pool - row.excluded)
    announcements.post_callback(tx, row)
    if asking.again is not None:
        announcements.renew_links(tx, row)
        announcements.announce(tx, row, "approval.edited")
    tx.hint("approvals")
    return row


def ask(
    tx: Transaction, tenant: TenantId, request: Request, *, started_by: str, owner: str | None
) -> ApprovalRow:
    """Ask without a workflow: a run of the built-in workflow, waiting on its approval from the start.

    Raises:
        Invalid: as `prepare`; nothing is kept then.
    """
    run = RunId(tx.ids.new("run"))
    asked = {"title": request.title, "action": request.action}
    new = runs.NewRun(
        id=run,
        tenant=tenant,
        workflow=ASK,
        version="1",
        input=asked,
        started_by=started_by,
        owner=owner,
    )
    runs.begin(tx, new, is_ready=False)
    return open_for_run(tx, tenant, request, Asking(run=run, path="0"))


def picture(tx: Transaction, tenant: TenantId, approval: str) -> ApprovalPicture:
    """Everything shown of one approval.

    Raises:
        NotFound: if this tenant has no such approval.
    """
    return pictures.picture(tx, tenant, approval)


def page(tx: Transaction, tenant: TenantId, wanted: Wanted) -> list[ApprovalPicture]:
    """Approvals, newest first."""
    return pictures.pictures(tx, approvals.page(tx, tenant, wanted))


def inbox_of(tx: Transaction, tenant: TenantId, person: PersonId) -> list[ApprovalPicture]:
    """The open approvals that `person` can still decide, those with the nearest deadline first."""
    rows = [
        row
        for row in approvals.open_ones(tx, tenant)
        if person not in row.excluded and person in eligibility.electorate(tx, row).pool
    ]
    return pictures.pictures(tx, rows)


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many approvals are in each state."""
    return approvals.counts(tx, tenant)


def _named(raw: object, quorum: QuorumSpec) -> tuple[Approver, ...]:
    if raw is None and isinstance(quorum, Mapping):
        return tuple(Approver(kind=ApproverKind.GROUP, value=name) for name in quorum)
    named = parse_approvers(raw)
    missing = [
        name
        for name in (quorum if isinstance(quorum, Mapping) else ())
        if Approver(kind=ApproverKind.GROUP, value=name) not in named
    ]
    if missing:
        raise Invalid(
            f"The quorum counts group {missing[0]}, which is not among the approvers. "
            f"Add group:{missing[0]} to approvers.",
            code="bad_quorum",
        )
    return named


def _routing(tx: Transaction, tenant: TenantId, request: Request) -> Routing:
    chosen = routings.chosen(tx, tenant, request.routes)
    known = routings.channels(tx)
    for route in chosen.routes:
        if route.channel not in known:
            raise Invalid(
                f"The channel {route.channel} is not configured here; possible: {', '.join(sorted(known))}.",
                code="unknown_channel",
            )
    return chosen


def _next_round(tx: Transaction, tenant: TenantId, row: ApprovalRow) -> ApprovalRow:
    before = approvals.get(tx, tenant, row.id)
    again = approvals.next_version(row, before)
    approvals.replace(tx, again)
    approvals.insert_version(tx, again, edited_by=again.requester)
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
