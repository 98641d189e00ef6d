"""Receipts of effects: how each ended, said by whoever claimed it or found out by others."""

from dataclasses import dataclass
from typing import Final, Literal

from engine.digest import canonical, same
from engine.errors import Conflict, NotFound
from engine.ids import TenantId
from engine.rules.receipts import ReceiptState
from engine.store import artifacts, cases, receipt_record, receipts, reconciliations
from engine.store.database import Transaction
from engine.store.receipts import ReceiptRow

INLINE_BYTES_MAX: Final = 8 * 1024  # a longer result is an artifact
RESULT_TYPE: Final = "application/json"

Outcome = Literal["succeeded", "failed_no_effect", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an effect ended: said by whoever holds its claim (`token`), or found out by others, about
    the attempt that is unknown (`attempt`). `operates` says that it is an operator who found out.
    """

    outcome: Outcome
    by: str
    token: str | None = None
    attempt: int | None = None
    result: object = None
    error: str | None = None
    reason: str | None = None
    operates: bool = False


def end(tx: Transaction, tenant: TenantId, execution: str, ending: Ending) -> ReceiptRow:
    """Say how an effect ended; the same again changes nothing. One that happened settles its case.

    Raises:
        NotFound: if there is no such receipt.
        Conflict: `claim_lost`, if the claim is another's by now; `not_unknown`, if there is nothing to
            find out about this attempt; `permit_spent`, if its permit was, and somebody else than who
            spent it, or an operator, says that nothing happened.
    """
    row = find(tx, tenant, execution)
    if row.settles is not None:
        cases.get(tx, tenant, row.settles, lock=True)  # before its receipt, as whoever claims does
    row = receipts.of_execution(tx, tenant, execution, lock=True) or row
    _demand_right(tx, row, ending)
    if row.state == ending.outcome and row.settled_by == ending.by:
        return row
    _demand_word(row, ending)
    values: dict[str, object] = {
        "error": ending.error,
        "settled_by": ending.by,
        "reason": ending.reason,
        **_kept(tx, tenant, ending),
    }
    if ending.outcome == "unknown":
        return receipts.doubt(tx, row, values)
    if row.settles is not None and ending.outcome == "succeeded":
        reconciliations.settle(tx, tenant, row.settles, execution, by=ending.by)
    values |= {"state": ending.outcome, "lease_expires_at": None}
    kind = receipt_record.RECONCILED if ending.token is None else receipt_record.SETTLED
    return receipts.put(tx, row, values, kind=kind)


def find(tx: Transaction, tenant: TenantId, execution: str) -> ReceiptRow:
    """One receipt.

    Raises:
        NotFound: if there is no such one.
    """
    row = receipts.of_execution(tx, tenant, execution)
    if row is None:
        raise NotFound(f"There is no receipt {execution!a}.")
    return row


def page(
    tx: Transaction, tenant: TenantId, *, state: str | None, before: str | None, limit: int
) -> list[ReceiptRow]:
    """Receipts, newest first."""
    return receipts.page(tx, tenant, state=state, before=before, limit=limit)


def _demand_right(tx: Transaction, row: ReceiptRow, ending: Ending) -> None:
    if ending.token is not None:
        if row.token is None or not same(row.token, ending.token):
            raise Conflict(
                f"Somebody else holds the claim on {row.request_id!a} by now.", code="claim_lost"
            )
        is_repeat = row.state == ending.outcome and row.settled_by == ending.by
        if row.state in {ReceiptState.CLAIMED, ReceiptState.UNKNOWN} or is_repeat:
            return
        raise Conflict(f"{row.request_id!a} was settled already: {row.state}.", code="claim_lost")
    is_over = row.lease_expires_at is not None and row.lease_expires_at <= tx.now
    is_unknown = row.state is ReceiptState.UNKNOWN or (
        row.state is ReceiptState.CLAIMED and is_over
    )
    if not is_unknown or ending.attempt not in {None, row.attempts}:
        raise Conflict(
            f"There is nothing to settle about {row.request_id!a}: it is {row.state}.",
            code="not_unknown",
        )


def _demand_word(row: ReceiptRow, ending: Ending) -> None:
    # It would let a permit of the next claim be spent: whoever holds claims could have it both ways.
    if row.spent is None or ending.outcome != "failed_no_effect" or ending.operates:
        return
    if ending.by != row.spent["spent_by"]:
        raise Conflict(
            f"The permit of {row.request_id!a} was spent by {row.spent['spent_by']}. That nothing "
            "happened all the same is for that one, or an operator, to say; settle it as unknown.",
            code="permit_spent",
        )


def _kept(tx: Transaction, tenant: TenantId, ending: Ending) -> dict[str, object]:
    if ending.outcome != "succeeded":
        return {"result": None, "artifact": None}
    content = canonical(ending.result)
    if len(content) <= INLINE_BYTES_MAX:
        return {"result": content.decode(), "artifact": None}
    return {"result": None, "artifact": artifacts.put(tx, tenant, content, RESULT_TYPE)}
