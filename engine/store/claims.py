"""What is claimed of an effect: how it is asked, whether that can be judged, and the row that it becomes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from engine.digest import canonical
from engine.errors import Invalid
from engine.ids import TenantId
from engine.rules.receipts import ReceiptState
from engine.store import receipts
from engine.store.database import Transaction

ID_CHARS_MAX: Final = 500
CASE: Final = "cas_"
LEASE_MAX: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An effect that somebody is about to make, or made (`records`) and wants remembered.

    `token` is random and the claimer's own, so that a claim whose answer was lost can be sent again.
    `effect` names what several request ids may stand for, and `requires` an approval that must have
    been given before; the effect is then that approval's, the only one that it allows, in whatever
    namespace. Where it requires a case, whose `outcome` must be final, the effect is that case's: the
    only one that settles it.
    """

    tenant: TenantId
    namespace: str
    request_id: str
    action: str
    payload: object
    token: str
    by: str
    lease_for: timedelta
    effect: str | None = None
    requires: str | None = None
    outcome: str | None = None
    records: bool = False

    @property
    def fingerprint(self) -> str:
        """What tells this effect from every other one."""
        return receipts.fingerprint_of(self.action, self.payload)

    @property
    def settles(self) -> str | None:
        """The case that the effect settles."""
        is_case = self.requires is not None and self.requires.startswith(CASE)
        return self.requires if is_case else None

    @property
    def named(self) -> str | None:
        """The effect's name, if it has one."""
        return self.effect or self.requires


def check(asked: Asked) -> None:
    """Return if the claim is one that can be judged.

    Raises:
        Invalid: `missing_request_id`, `bad_request_id`, `bad_requires` or `bad_duration`.
    """
    for what in (asked.request_id, asked.namespace):
        if not what.strip():
            raise Invalid(
                "An effect needs a request id that names the occasion, as in order-17-refund.",
                code="missing_request_id",
            )
        if len(what) > ID_CHARS_MAX or not what.isprintable():
            raise Invalid(
                f"A request id has up to {ID_CHARS_MAX} characters on one line.",
                code="bad_request_id",
            )
    if (asked.settles is None) is not (asked.outcome is None) or (asked.settles and asked.effect):
        raise Invalid(
            "requires is an approval, or a case (cas_…) together with the outcome that it must have; "
            "the effect of a case has no other name.",
            code="bad_requires",
        )
    if not timedelta() < asked.lease_for <= LEASE_MAX:
        raise Invalid("An effect takes longer than nothing and a day at most.", code="bad_duration")


def row_of(tx: Transaction, asked: Asked, fingerprint: str) -> dict[str, object]:
    """What is stored of a first claim."""
    is_done = asked.records
    return {
        "tenant": asked.tenant,
        "namespace": asked.namespace,
        "request_id": asked.request_id,
        "execution": tx.ids.new("exe"),
        "fingerprint": fingerprint,
        "action": asked.action,
        "payload": canonical(asked.payload).decode(),
        "effect": asked.named,
        "same_as": None,
        "approval": None if asked.settles else asked.requires,
        "settles": asked.settles,
        "state": ReceiptState.SUCCEEDED if is_done else ReceiptState.CLAIMED,
        "claimed_by": asked.by,
        "token": asked.token,
        "lease_expires_at": None if is_done else tx.now + asked.lease_for,
        "attempts": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
