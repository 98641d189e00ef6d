"""The same request again gets the first answer again."""

import re
from typing import Final

from engine.digest import same
from engine.errors import IdempotencyConflict, Invalid
from engine.ids import TenantId
from engine.store import idempotency
from engine.store.database import Transaction
from engine.store.idempotency import Answered

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def recall(
    tx: Transaction, tenant: TenantId, *, caller: str, key: str, fingerprint: str
) -> str | None:
    """What `caller` was answered to this very request in the last seven days; None the first time.

    `fingerprint` is the digest of the request. Recall, act and `remember` in one transaction: then
    one of two equal requests acts, and the other gets its answer.

    Raises:
        Invalid: `bad_idempotency_key`, if the key is empty, longer than 255 or not plain ASCII.
        IdempotencyConflict: if the key came with another request before.
    """
    _check(key)
    known = idempotency.find(tx, tenant, caller=caller, key=key)
    if known is None:
        return None
    if not same(known.fingerprint, fingerprint):
        raise IdempotencyConflict(
            f"The Idempotency-Key {key!a} came with another request before. Use a new key."
        )
    return known.answer


def remember(
    tx: Transaction, tenant: TenantId, *, caller: str, key: str, fingerprint: str, answer: str
) -> None:
    """Keep `answer` for seven days. Call it after `recall` gave None in the same transaction."""
    _check(key)
    answered = Answered(fingerprint=fingerprint, answer=answer)
    idempotency.add(tx, tenant, caller=caller, key=key, answered=answered)


def _check(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise Invalid(
            "An Idempotency-Key is 1 to 255 visible ASCII characters.", code="bad_idempotency_key"
        )
