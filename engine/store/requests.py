"""What somebody asks, checked and frozen: the content that people approve, and who may answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.digest import canonical, tagged, tagged_digest
from engine.errors import Invalid
from engine.ids import ApprovalId, LeaseToken, PersonId, RunId, TenantId
from engine.rules import modifying
from engine.rules.approvers import Approver, ApproverKind, parse_approvers
from engine.rules.content import Content, Policy, check_words
from engine.rules.forms import as_frozen
from engine.rules.ladder import CONSENTING, Rung, expires_at, ladder_to_json, parse_ladder
from engine.rules.marking import Marking, mark
from engine.rules.quorum import Quorum, QuorumSpec, freeze, parse_quorum
from engine.rules.routing import Routing
from engine.rules.sandboxes import is_marked, titled
from engine.rules.states import ApprovalStatus
from engine.store import electorates, eligibility, routings
from engine.store.approvals import DIGEST_TAG, ApprovalRow
from engine.store.database import Transaction

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
    rollback_to: str | None = None
    kind: str = "binary"
    fields: object = None
    form: object = None
    parameters: Sequence[str] = ()  # the names of the call's positional arguments
    is_sandbox: bool = False  # asked by a run in a sandbox, and marked so wherever it is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where in a run the request comes up. `again` is the approval whose next round it is.

    In a branch the run itself does not wait: its driver holds the lease. What Signoff asks by itself is
    `asked_by` nobody, and counts towards nobody's cap. Whoever made the key that started the run,
    `started_by`, never counts on what is asked for it.
    """

    run: RunId
    path: str
    token: LeaseToken | None = None
    again: ApprovalId | None = None
    is_branch: bool = False
    asked_by: str | None = None
    started_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What somebody wants to be asked instead; None leaves a part as it is."""

    title: str | None = None
    details: Mapping[str, object] | None = None
    approvers: object = None
    quorum: object = None
    reject_quorum: int | None = None


def prepare(tx: Transaction, tenant: TenantId, request: Request, asking: Asking) -> ApprovalRow:
    """Check everything that could make the request undecidable, and freeze it.

    Raises:
        Invalid: naming what to mend: unknown approvers, a quorum nobody can reach, a ladder that
            never ends, a channel that is not configured, details that have no canonical form.
    """
    if request.on_reject not in {"rollback", "fail", "resume"}:
        raise Invalid("on_reject is rollback, fail or resume.", code="bad_on_reject")
    ladder = parse_ladder(request.ladder or DEFAULT_LADDER, risk=request.risk)
    content, digest = _content(tx, tenant, request, ladder)
    return ApprovalRow(
        id=asking.again or ApprovalId(tx.ids.new("apr")),
        tenant=tenant,
        run=asking.run,
        path=asking.path,
        status=ApprovalStatus.OPEN,
        version=1,
        content=content,
        digest=digest,
        requester=request.requester,
        excluded=_excluded(request),
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
        asked_by=asking.asked_by,
    )


def edited(
    tx: Transaction, row: ApprovalRow, edit: Edit, *, authors: frozenset[PersonId] = frozenset()
) -> ApprovalRow:
    """`row` as its next version, or `row` itself where the edit changes nothing.

    What is not edited stays as it was frozen: "all" of three people stays three. The `authors` of
    the edit are excluded from it.

    Raises:
        Invalid: as `prepare`, judged by who belongs now.
    """
    content, policy = row.content, row.content.policy
    request = Request(
        title=content.title if edit.title is None else edit.title,
        action=content.action,
        approvers=[str(each) for each in content.approvers]
        if edit.approvers is None
        else edit.approvers,
        quorum=_as_written(policy.quorum) if edit.quorum is None else edit.quorum,
        reject_quorum=policy.quorum.reject if edit.reject_quorum is None else edit.reject_quorum,
        details=content.details if edit.details is None else edit.details,
        call=content.call,
        risk=policy.risk,
        comment=policy.comment,
        requester=row.requester,
        excluded=row.excluded | authors,
        kind=content.kind,
        fields=list(content.fields) if content.kind == "modify" else None,
        form=content.form_as_asked,
        parameters=modifying.parameters(content.fields),
        is_sandbox=is_marked(content.title),
    )
    following, digest = _content(tx, row.tenant, request, row.ladder)
    # More time is no change of what is asked; a version that follows freezes the longer ladder.
    asked = replace(following, policy=replace(following.policy, ladder=policy.ladder))
    if tagged_digest(DIGEST_TAG, asked.to_json()) == row.digest:
        return row
    return replace(
        row,
        content=following,
        digest=digest,
        version=row.version + 1,
        excluded=request.excluded,
    )


def _content(
    tx: Transaction, tenant: TenantId, request: Request, ladder: Sequence[Rung]
) -> tuple[Content, str]:
    """What is asked, and its digest."""
    check_words(
        title=request.title, action=request.action, risk=request.risk, comment=request.comment
    )
    quorum = parse_quorum(request.quorum)
    named = _named(request.approvers, quorum)
    form = as_frozen(request.form)
    fields = mark(
        Marking(
            kind=request.kind,
            fields=request.fields,
            form=form or request.form,
            details=request.details,
            call=request.call,
            parameters=request.parameters,
        )
    )
    content = Content(
        tenant=tenant,
        action=request.action,
        title=titled(request.title, is_sandbox=request.is_sandbox),
        call=request.call,
        details=request.details,
        policy=Policy(
            quorum=_frozen(tx, tenant, request, quorum, [named, *(rung.to for rung in ladder)]),
            ladder=tuple(ladder_to_json(ladder)),
            risk=request.risk,
            comment=request.comment,
        ),
        approvers=named,
        fields=fields,
        is_budget=request.kind == "budget",
        form=form,
    )
    _check_rungs(content, ladder)
    text = canonical(content.to_json())
    if len(text) > DETAILS_BYTES_MAX:
        raise Invalid(
            f"The request is larger than {DETAILS_BYTES_MAX} bytes. Put large content behind a link.",
            code="too_large",
        )
    return content, tagged(DIGEST_TAG, text)


def _check_rungs(content: Content, ladder: Sequence[Rung]) -> None:
    # A default that time chooses is bound by the same rules as what people choose.
    if not content.fields:
        return
    for rung in ladder:
        changes = modifying.settle(content, rung.changes)
        if rung.verb in CONSENTING:
            modifying.demand_complete(content, changes)


def _frozen(
    tx: Transaction,
    tenant: TenantId,
    request: Request,
    quorum: QuorumSpec,
    asked: Sequence[Sequence[Approver]],
) -> Quorum:
    # The first of `asked` are the approvers; the others are added later, and only have to exist.
    requester = eligibility.requesting_person(request.requester)
    excluded = _excluded(request)

    def people(wanted: Sequence[Approver]) -> frozenset[PersonId]:
        found = electorates.resolve(tx, tenant, wanted, requester=requester, strict=True)
        return found - excluded

    eligible, *_ = [people(wanted) for wanted in asked]
    members = {
        name: people((Approver(kind=ApproverKind.GROUP, value=name),))
        for name in (quorum if isinstance(quorum, Mapping) else ())
    }
    return freeze(
        quorum,
        eligible_count=len(eligible),
        reject_quorum=request.reject_quorum,
        groups={name: len(found) for name, found in members.items()},
        members=members,
    )


def _excluded(request: Request) -> frozenset[PersonId]:
    requester = eligibility.requesting_person(request.requester)
    return request.excluded if requester is None else request.excluded | {requester}


def _as_written(quorum: Quorum) -> QuorumSpec:
    return dict(quorum.groups) if quorum.need is None else quorum.need


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
