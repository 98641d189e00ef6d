"""Permits: whoever was granted an effect gets one for its target, which spends it once, or checks it on its own."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from engine.clock import iso
from engine.digest import canonical, same
from engine.errors import Conflict, EngineError, Invalid, NotFound, Refused
from engine.ids import TenantId
from engine.permits import TOKEN_CHARS_MAX, Permit, key_id, recognised, signed
from engine.rules.cases import CaseStatus
from engine.rules.receipts import ReceiptState
from engine.rules.states import ApprovalStatus
from engine.signing import Signer
from engine.store import approvals, audit, cases, receipt_record, receipts, switches
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.receipts import ReceiptRow
from engine.tokens import Tokens

__all__ = ["LASTS_MAX", "TOKEN_CHARS_MAX", "Issued", "Spending", "Spent", "Wanted"]

LASTS_MAX: Final = timedelta(seconds=60)
NAME_CHARS_MAX: Final = 200

log = structlog.get_logger("engine.services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A permit that is asked for with the claim's own `token`; `audience` is the target that may take it."""

    token: str
    audience: str
    lasts: timedelta = LASTS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A permit, and the token that carries it."""

    permit: Permit
    token: str

    def to_json(self) -> dict[str, object]:
        """The permit as its holder gets it."""
        return {**self.permit.to_json(), "permit": self.token}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A target that takes a permit, and what it is about to do.

    `spend_id` is its own name for this taking, so that one whose answer was lost can be sent again.
    """

    token: str
    spend_id: str
    audience: str
    action: str
    payload: object
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What came of a spending: what to answer, or why not, which is on record by then."""

    answer: dict[str, object] | None = None
    refusal: EngineError | None = None

    def told(self) -> dict[str, object]:
        """The answer; raises the refusal."""
        if self.refusal is not None:
            raise self.refusal
        return self.answer or {}


def trusted(tokens: Tokens, tenant: TenantId) -> tuple[str, ...]:
    """The public keys that sign permits of `tenant`: the one of now first, then those that did before."""
    return tuple(Signer(seed).public for seed in tokens.permit_seeds(tenant))


def issue(tx: Transaction, tenant: TenantId, execution: str, wanted: Wanted) -> Issued:
    """A permit for the effect that is claimed, good for a minute and no longer than the claim.

    There may be several for one claim, say where one ended unused: one of them can be spent.

    Raises:
        NotFound: if there is no such receipt.
        Invalid: `bad_audience` or `bad_duration`.
        Conflict: `claim_lost`, if the claim is another's, or over; `permit_void`, if what allowed the
            effect does so no more; `permit_spent`, if a permit of this claim was.
        KillSwitchTriggered: if a kill switch stands above it.
    """
    _demand_audience(wanted.audience)
    if not timedelta() < wanted.lasts <= LASTS_MAX:
        raise Invalid("A permit lasts up to 60 seconds.", code="bad_duration")
    switches.keep_still(tx)
    row, approval = _held(tx, tenant, execution)
    if row.token is None or not same(row.token, wanted.token) or not _is_claimed(tx, row):
        raise Conflict(f"The claim on {row.request_id!a} is another's, or over.", code="claim_lost")
    if row.spent is not None:
        raise Conflict(_spent_words(row.spent), code="permit_spent")
    if (void := _void(tx, row, approval)) is not None:
        raise void
    switches.demand_released_for(tx, tenant, row.claimed_by)
    issued = _signed(tx, row, approval, wanted)
    permit = issued.permit
    said = {"permit": permit.id, "key": permit.key, "audience": permit.audience}
    said |= {"receipt": row.execution, "attempt": str(row.attempts), "by": row.claimed_by}
    audit.append(tx, tenant, "permit.issued", {**said, "expires_at": iso(permit.expires_at)})
    return issued


def spend(tx: Transaction, tenant: TenantId, spending: Spending) -> Spent:
    """Take a permit, once for each claim. The same again by the same caller is answered the same.

    What a target must not act on is a refusal in the answer, so that it stays on record: `told` raises it.

    Raises:
        Invalid: `bad_permit`, if it is not one of this tenant's; `bad_spend_id`, `bad_audience`.
        Refused: `permit_audience` or `permit_effect`, through `told`, if it is for another target, or
            for something else than the target is about to do.
        Conflict: `permit_spent`, `permit_expired` or `permit_void`, through `told`, if another took it,
            if it is too late, and if the claim is over or what allowed it does so no more.
        KillSwitchTriggered: if a kill switch stands above the effect.
    """
    _demand_audience(spending.audience)
    if not _is_name(spending.spend_id):
        raise Invalid(f"A spending needs a name{_NAMED}", code="bad_spend_id")
    permit = recognised(spending.token, trusted(tx.tokens, tenant))
    if permit is None or permit.tenant != tenant:
        raise Invalid("This is no permit of this organisation.", code="bad_permit")
    if (other := _other(permit, spending)) is not None:
        return _refuse(tx, permit, spending, other)
    switches.keep_still(tx)
    try:
        row, approval = _held(tx, tenant, permit.receipt)
    except NotFound:
        return _refuse(tx, permit, spending, _voided("its receipt is there no more"))
    if row.spent is not None and row.attempts == permit.attempt:
        return _again(tx, permit, spending, row.spent)
    if (
        not permit.issued_at - LASTS_MAX <= tx.now < permit.expires_at
    ):  # nor after a clock was put back
        span = f"from {iso(permit.issued_at)} to {iso(permit.expires_at)}"
        late = Conflict(f"The permit was good {span}. Ask for another.", code="permit_expired")
        return Spent(refusal=late)
    if (void := _void(tx, row, approval, permit)) is not None:
        return _refuse(tx, permit, spending, void)
    switches.demand_released_for(tx, tenant, row.claimed_by)
    said = {"permit": permit.id, "audience": permit.audience, "spend_id": spending.spend_id}
    said |= {"spent_by": spending.by, "spent_at": iso(tx.now)}
    values: dict[str, object] = {"spent": canonical(said).decode()}
    receipts.put(tx, row, values, kind=receipt_record.SPENT)
    return _answered(permit, said)


def _signed(
    tx: Transaction, row: ReceiptRow, approval: ApprovalRow | None, wanted: Wanted
) -> Issued:
    signer = Signer(tx.tokens.permit_seeds(row.tenant)[0])
    ends = tx.now + wanted.lasts
    permit = Permit(
        id=tx.ids.new("prm"),
        tenant=row.tenant,
        key=key_id(signer.public),
        audience=wanted.audience,
        namespace=row.namespace,
        request_id=row.request_id,
        action=row.action,
        fingerprint=row.fingerprint,
        receipt=row.execution,
        attempt=row.attempts,
        approval=row.approval,
        digest=None if approval is None else approval.digest,
        issued_at=tx.now,
        expires_at=ends if row.lease_expires_at is None else min(ends, row.lease_expires_at),
    )
    return Issued(permit=permit, token=signed(permit, signer))


def _held(
    tx: Transaction, tenant: TenantId, execution: str
) -> tuple[ReceiptRow, ApprovalRow | None]:
    """The locked receipt, behind the locks of what it stands on: in the order in which a claim takes them."""
    row = receipts.of_execution(tx, tenant, execution)
    if row is None:
        raise NotFound(f"There is no receipt {execution!a}.")
    approval = None
    if row.settles is not None:
        cases.get(tx, tenant, row.settles, lock=True)
    elif row.approval is not None:
        with suppress(NotFound):  # it was pruned: then it allows nothing more
            approval = approvals.get(tx, tenant, row.approval, lock=True)
    return receipts.of_execution(tx, tenant, execution, lock=True) or row, approval


def _is_claimed(tx: Transaction, row: ReceiptRow) -> bool:
    is_over = row.lease_expires_at is not None and row.lease_expires_at <= tx.now
    return row.state is ReceiptState.CLAIMED and not is_over


def _void(
    tx: Transaction, row: ReceiptRow, approval: ApprovalRow | None, permit: Permit | None = None
) -> Conflict | None:
    """Why the effect may not be made any more, however good its permit is."""
    if not _is_claimed(tx, row) or (permit is not None and row.attempts != permit.attempt):
        return _voided(f"the effect is {row.state} by now, and this claim on it over")
    if row.settles is not None:
        case = cases.get(tx, row.tenant, row.settles)
        return None if case.status is CaseStatus.FINAL else _voided(f"its case is {case.status}")
    if row.approval is None:
        return None
    if approval is None or approval.status is not ApprovalStatus.APPROVED:
        became = "there no more" if approval is None else approval.status
        return _voided(f"its approval is {became}")
    if permit is not None and approval.digest != permit.digest:
        return _voided("people agreed to something else meanwhile")
    return None


def _other(permit: Permit, spending: Spending) -> Refused | None:
    """That it is for another target, or for something else than the target is about to do."""
    if not same(permit.audience, spending.audience):
        return Refused("This permit is for another target.", code="permit_audience")
    fingerprint = receipts.fingerprint_of(spending.action, spending.payload)
    if not same(permit.fingerprint, fingerprint):
        return Refused(
            f"This permit is for another effect than {spending.action!a} with this payload. "
            "Do not make it.",
            code="permit_effect",
        )
    return None


def _again(tx: Transaction, permit: Permit, spending: Spending, spent: Any) -> Spent:
    is_same = spent["permit"] == permit.id and spent["spent_by"] == spending.by
    if is_same and spent["spend_id"] == spending.spend_id:
        return _answered(permit, spent)  # its answer was lost
    refusal = Conflict(_spent_words(spent), code="permit_spent")
    return _refuse(tx, permit, spending, refusal)


def _answered(permit: Permit, spent: Any) -> Spent:
    return Spent(answer={**permit.to_json(), **spent, "ok": True})


def _refuse(tx: Transaction, permit: Permit, spending: Spending, refusal: EngineError) -> Spent:
    """Put on record that somebody came with a permit that must not be acted on, as long as it is fresh."""
    if permit.expires_at <= tx.now:
        return Spent(refusal=refusal)
    said = {"permit": permit.id, "receipt": permit.receipt, "audience": permit.audience}
    said |= {"why": refusal.code, "by": spending.by}
    audit.append(tx, TenantId(permit.tenant), "permit.refused", said)
    log.warning("permit.refused", permit=permit.id, why=refusal.code)
    return Spent(refusal=refusal)


def _spent_words(spent: Any) -> str:
    return (
        f"The permit was spent by {spent['spent_by']} at {spent['spent_at']}, as "
        f"{spent['spend_id']!a}. One claim allows one effect."
    )


def _voided(why: str) -> Conflict:
    return Conflict(f"The permit is good for nothing any more: {why}.", code="permit_void")


def _demand_audience(audience: str) -> None:
    if not _is_name(audience):
        raise Invalid(f"A permit is for one target, which has a name{_NAMED}", code="bad_audience")


def _is_name(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= NAME_CHARS_MAX


_NAMED: Final = f" of up to {NAME_CHARS_MAX} characters on one line."
