"""Receipts: an effect is made once under its request id, by whomever and wherever, and its outcome is kept."""

import asyncio
import inspect
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol, TypedDict, Unpack

from signoff.answers import Answer
from signoff.calls import takes_payload, takes_step
from signoff.effects import Absent, NoEffect, Present, Unclear
from signoff.errors import SignoffError
from signoff.running import StepInfo

Effect = Callable[..., object]

LEASE: Final = timedelta(minutes=5)
POLL_MAX: Final = timedelta(seconds=1)
MOVED_ON: Final = frozenset({"claim_lost", "not_unknown", "conflict"})


class Receipt(Answer):
    """What became of an effect. `reason` says why you got it:

    `executed` or `recorded` by this call; `dedup_same_request_id` and `already_settled` where it had
    happened before, under this name of it or another; `found` by the probe. Not `ok` are
    `failed_no_effect` (try again), `unknown` (nobody may), `in_progress` (somebody is at it) and
    `blocked:…` (the approval it requires is not given, or the case not final with that outcome, and for
    good where it is `expired` or `closed`; nothing was remembered).
    """

    ok: bool
    reason: str
    request_id: str
    action: str
    payload: object = None
    execution_id: str | None = None
    timestamp_utc: str | None = None
    state: str | None = None
    namespace: str = "default"
    result: object = None
    artifact: str | None = None
    error: str | None = None
    effect: str | None = None
    attempt: int = 0
    settled_by: str | None = None
    settles: str | None = None
    spent: Mapping[str, object] | None = None


class ClaimAnswer(Answer):
    """What a claim came to."""

    granted: bool
    receipt: Receipt


class EffectTerms(TypedDict, total=False):
    """What else may be said about an effect.

    `namespace` keeps request ids of different kinds apart. `name` is the effect's own, where several
    request ids stand for it. `requires` is an approval that must have been given, or a case whose
    `outcome` must be final, which the effect then settles. `lease` is how long
    the effect takes at most: 5 minutes if not given. `wait` is how long to wait while somebody else
    makes it; for as long as its lease, if not given. `probe(request_id, action, payload)` looks
    whether an effect that is unknown is there. `audience` names the target for which the effect gets a
    permit, as `step.permit`.
    """

    namespace: str
    name: str
    requires: str
    outcome: str
    lease: timedelta
    wait: timedelta
    probe: Effect | None
    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """An effect that is claimed, and the claimer's own random token."""

    request_id: str
    action: str
    payload: object
    records: bool
    terms: EffectTerms
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def to_json(self) -> dict[str, object]:
        """The body of `POST /api/receipts`."""
        terms = self.terms
        lease = terms.get("lease", LEASE)
        return {
            "request_id": self.request_id,
            "action": self.action,
            "payload": self.payload,
            "namespace": terms.get("namespace", "default"),
            "effect": terms.get("name"),
            "requires": terms.get("requires"),
            "outcome": terms.get("outcome"),
            "lease_s": lease.total_seconds(),
            "records": self.records,
            "token": self.token,
        }


class Ledger(Protocol):
    """Where receipts are kept: a server, or the database itself."""

    async def claim(self, asking: Asking) -> ClaimAnswer:
        """Claim an effect."""
        ...

    async def permit(self, receipt: Receipt, token: str, audience: str) -> str:
        """A permit for the claim that `token` holds, for `audience` to take.

        Raises:
            SignoffError: `claim_lost`, `kill_switch`, … if the effect may not be made any more.
        """
        ...

    async def settle(self, receipt: Receipt, ending: Mapping[str, object]) -> Receipt:
        """Say how it ended.

        Raises:
            SignoffError: `claim_lost` or `not_unknown`, if others have said it.
        """
        ...


class Receipts:
    """The receipts of a ledger: a server's, through `Client.receipts`, or the database's own."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def once(
        self,
        request_id: str,
        action: str,
        payload: object,
        effect: Effect | None = None,
        **terms: Unpack[EffectTerms],
    ) -> Receipt:
        """Have `effect` made once under `request_id`, however often and by whomever this is called.

        The effect is given the payload, if it takes one, and a keyword `step` with the request id, if
        it has one. Not async, it runs in a thread. What it raises is no error here: `NoEffect` leaves
        the way free for another try, and after anything else nobody knows whether it happened; the
        receipt says so and nothing is repeated. Without an effect, the receipt alone is kept.

        A process that dies in between leaves an effect that is unknown once its lease is over.

        Raises:
            SignoffError: `request_id_conflict`, if the request id came with another action or
                payload; `missing_request_id`, if it is blank.
        """
        return await once_on(self._ledger, request_id, action, payload, effect, **terms)


async def once(
    request_id: str,
    action: str,
    payload: object,
    effect: Effect | None = None,
    **terms: Unpack[EffectTerms],
) -> Receipt:
    """As `Receipts.once`, with the server and key of SIGNOFF_URL and SIGNOFF_API_KEY."""
    from signoff.client import Client

    async with Client() as client:
        return await client.receipts.once(request_id, action, payload, effect, **terms)


async def once_on(
    ledger: Ledger,
    request_id: str,
    action: str,
    payload: object,
    effect: Effect | None,
    **terms: Unpack[EffectTerms],
) -> Receipt:
    """As `Receipts.once`, on any ledger."""
    asking = Asking(
        request_id=request_id, action=action, payload=payload, records=effect is None, terms=terms
    )
    until = time.monotonic() + terms.get("wait", terms.get("lease", LEASE)).total_seconds()
    pause = 0.02
    while True:
        claimed = await ledger.claim(asking)
        receipt = claimed.receipt
        if claimed.granted and effect is not None:
            return await _made(ledger, asking, receipt, effect)
        if receipt.reason == "in_progress" and time.monotonic() < until:
            await asyncio.sleep(pause)
            pause = min(pause * 2, POLL_MAX.total_seconds())
            continue
        probe = terms.get("probe")
        if receipt.reason != "unknown" or probe is None:
            return receipt
        found = await _found(ledger, receipt, probe)
        if found is not None:
            return found


async def _made(ledger: Ledger, asking: Asking, receipt: Receipt, effect: Effect) -> Receipt:
    held: dict[str, object] = {"token": asking.token}
    try:
        permit = await _permit(ledger, asking, receipt)
        step = StepInfo(request_id=asking.request_id, attempt=receipt.attempt, permit=permit)
        result = await called(effect, step, asking.payload)
    except NoEffect as error:
        end = {**held, "outcome": "failed_no_effect", "error": said(error)}
    except Exception as error:  # border: the effect is the author's code
        end = {**held, "outcome": "unknown", "error": said(error)}
    else:
        end = {**held, "outcome": "succeeded", **_kept(result)}
    try:
        ended = await ledger.settle(receipt, end)
    except SignoffError as error:
        if error.code not in {"not_canonical", "permit_spent"}:
            raise
        # It happened, and that counts, whatever its result is made of; or nobody believes that it did not.
        instead = {"result": None} if error.code == "not_canonical" else {"outcome": "unknown"}
        ended = await ledger.settle(receipt, {**end, **instead, "error": str(error)})
    return ended.model_copy(
        update={"reason": "executed" if ended.ok else f"{ended.state}:{ended.error}"}
    )


async def _permit(ledger: Ledger, asking: Asking, receipt: Receipt) -> str | None:
    audience = asking.terms.get("audience")
    if audience is None:
        return None
    try:
        return await ledger.permit(receipt, asking.token, audience)
    except SignoffError as error:
        raise NoEffect(f"It got no permit: {error}") from error  # nothing was begun


def _kept(result: object) -> dict[str, object]:
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        return {"result": None, "error": f"Its result cannot be kept as JSON: {error}"}
    return {"result": result}


async def _found(ledger: Ledger, receipt: Receipt, probe: Effect) -> Receipt | None:
    """What the probe says; None where the effect may be claimed again."""
    answer = await _called(probe, receipt.request_id, receipt.action, receipt.payload)
    about: dict[str, object] = {"attempt": receipt.attempt, "reason": "The probe says so."}
    match answer:
        case Present():
            end = {**about, "outcome": "succeeded", "result": answer.result}
        case Absent():
            end = {**about, "outcome": "failed_no_effect", "error": "It did not happen."}
        case Unclear():
            return receipt.model_copy(update={"error": answer.reason or receipt.error})
        case _:
            raise TypeError("A probe returns Present, Absent or Unclear of signoff.effects.")
    try:
        settled = await ledger.settle(receipt, end)
    except SignoffError as error:
        if error.code == "permit_spent":
            return receipt.model_copy(update={"error": str(error)})
        if error.code not in MOVED_ON:
            raise
        return None  # somebody else found out meanwhile
    return settled.model_copy(update={"reason": "found"}) if settled.ok else None


async def called(effect: Effect, step: StepInfo, payload: object) -> object:
    """What the effect returns, given the payload if it takes one, and `step` if it wants it."""
    named: dict[str, Any] = {"step": step} if takes_step(effect) else {}
    return await _called(effect, *([payload] if takes_payload(effect) else []), **named)


def said(error: BaseException) -> str:
    """The error in one line."""
    return f"{type(error).__name__}: {error}"[:2_000]


async def _called(fn: Effect, *args: object, **named: Any) -> object:
    if inspect.iscoroutinefunction(fn):
        made: Awaitable[object] = fn(*args, **named)
        return await made
    result = await asyncio.to_thread(fn, *args, **named)
    return await result if inspect.isawaitable(result) else result
