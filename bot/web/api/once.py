"""Does a request once, however often it is sent under one Idempotency-Key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Header
from pydantic import BaseModel

from engine.digest import tagged_digest
from engine.ids import TenantId
from engine.services import idempotency
from engine.services.keys import Caller
from engine.store.database import Transaction

_TAG: Final = "signoff/request/v1"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key with the same body gets the first answer again, for seven days.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request of one caller. Without a `key` every sending is a request of its own."""

    tenant: TenantId
    caller: Caller
    key: str | None
    fingerprint: str


def once(caller: Caller, key: str | None, path: str, body: BaseModel) -> Once:
    """The request that `body` makes of `path`.

    Raises:
        Invalid: `not_canonical`, if the body holds numbers that not everybody reads alike.
    """
    said = {"path": path, "body": body.model_dump(mode="json", exclude_unset=True)}
    fingerprint = tagged_digest(_TAG, said)
    return Once(tenant=caller.tenant, caller=caller, key=key, fingerprint=fingerprint)


def answered(
    tx: Transaction, asked: Once, act: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """What `act` answers, or what it answered before, in the transaction in which it acts.

    Raises:
        Invalid: `bad_idempotency_key`. IdempotencyConflict: if the key came with another request.
    """
    if asked.key is None:
        return act()
    subject = asked.caller.subject
    before = idempotency.recall(
        tx, asked.tenant, caller=subject, key=asked.key, fingerprint=asked.fingerprint
    )
    if before is not None:
        found: Mapping[str, Any] = json.loads(before)
        return found
    answer = act()
    idempotency.remember(
        tx,
        asked.tenant,
        caller=subject,
        key=asked.key,
        fingerprint=asked.fingerprint,
        answer=json.dumps(answer),
    )
    return answer
