"""Hears a webhook's answer to one approval and carries it to the one door."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.webhook import signature
from channels.webhook.config import WebhookTarget
from channels.webhook.limits import CALLBACK_BYTES_MAX, REMEMBERED
from engine.clock import Clock
from engine.digest import read_json
from engine.errors import Invalid, SignatureInvalid
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, TenantId
from engine.rules.tally import Choice
from engine.services import approvals, inbox, tenants, votes
from engine.services.votes import Ballot, CastReceipt
from engine.store import belongings
from engine.store.database import Database, Transaction

_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9_-]{20,200})")


class CallbackBody(BaseModel):
    """What a callback says. The digest binds it to what is approved: nothing else in it does.

    With the digest of an outcome that somebody proposed, it agrees to exactly that one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    choice: Choice
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    comment: Annotated[str, Field(max_length=10_000)] | None = None
    changes: dict[str, Any] | None = None  # of the fields that approvers may change
    form: dict[str, Any] | None = None  # what the form is filled in with


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """Who answers: a configured webhook that was recognised, and by what."""

    target: WebhookTarget
    identified_by: str  # signature | token
    webhook_id: str | None


async def answer(
    body: bytes,
    headers: Mapping[str, str],
    *,
    approval: ApprovalId,
    database: Database,
    targets: Iterable[WebhookTarget],
    clock: Clock,
) -> CastReceipt:
    """Count the callback as the vote of its webhook's person.

    A signed callback counts once: the same webhook id again, within thirty days, changes nothing
    and is told so. One that was never recorded may be sent again under its id. Pass every header
    as it came: two of a kind are refused.

    Raises:
        SignatureInvalid: if neither a signature nor a token is right; which was tried is not said.
        Invalid: if the body is not `{"choice", "digest", "comment", "changes", "form"}`, or is too large.
        EngineError: whatever `votes.cast` raises.
    """
    if len(body) > CALLBACK_BYTES_MAX:
        raise Invalid(f"A callback holds at most {CALLBACK_BYTES_MAX} bytes.", code="too_large")
    tenant = await database.read(lambda tx: _tenant_of(tx, approval))
    voters = [
        target
        for target in targets
        if target.person is not None and tenant in {None, target.tenant}
    ]
    names = {name.lower() for name, _ in headers.items()}
    if signature.SIGNATURE in names:
        caller = _signer(body, headers, voters=voters, clock=clock)
        said = _said(body)
        receipt = await database.of(caller.target.tenant).write(
            lambda tx: _count(tx, approval, caller, said)
        )
    else:
        token = _token(headers)
        receipt = await database.of(tenant or DEFAULT_TENANT).write(
            lambda tx: _count(tx, approval, _holder(tx, approval, token, voters), _said(body))
        )
    receipt.raise_refusal()
    return receipt


def _tenant_of(tx: Transaction, approval: ApprovalId) -> TenantId | None:
    """Whose approval it is: only their webhooks may answer. None for an approval that is nobody's."""
    return next(iter(belongings.tenants_of(tx, "approval", approval)), None)


def _signer(
    body: bytes, headers: Mapping[str, str], *, voters: Iterable[WebhookTarget], clock: Clock
) -> _Caller:
    for target in voters:
        try:
            webhook_id = signature.verify(body, headers, target.secrets, clock.now())
        except SignatureInvalid:
            continue
        return _Caller(target=target, identified_by="signature", webhook_id=webhook_id)
    raise _nobody()


def _token(headers: Mapping[str, str]) -> str:
    given = [value for name, value in headers.items() if name.lower() == "authorization"]
    found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise _nobody()
    return found[1]


def _holder(
    tx: Transaction, approval: ApprovalId, token: str, voters: Iterable[WebhookTarget]
) -> _Caller:
    fitting = [
        target
        for target in voters
        if tx.tokens.is_callback(token, approval=approval, webhook=target.name)
    ]
    if not fitting:
        raise _nobody()
    return _Caller(target=fitting[0], identified_by="token", webhook_id=None)


def _said(body: bytes) -> CallbackBody:
    value = read_json(body)
    try:
        return CallbackBody.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Invalid(
            f"The callback is not understood: {where}: {first['msg']}. Send choice, digest and, "
            "if you like, comment, and changes or form.",
            code="bad_callback",
        ) from None


def _count(
    tx: Transaction, approval: ApprovalId, caller: _Caller, said: CallbackBody
) -> CastReceipt:
    tenant, source = caller.target.tenant, f"webhook:{caller.target.name}"
    tenants.check_active(tx, tenant)
    if caller.webhook_id is not None and not inbox.first_time(
        tx, tenant, source, caller.webhook_id, keep_for=REMEMBERED
    ):
        status = approvals.picture(tx, tenant, approval).status
        return CastReceipt(
            recorded=False,
            counted=False,
            status=status,
            message="Received before under this webhook-id; nothing was changed.",
        )
    return votes.cast(tx, _ballot(approval, caller, said))


def _ballot(approval: ApprovalId, caller: _Caller, said: CallbackBody) -> Ballot:
    return Ballot(
        tenant=caller.target.tenant,
        approval=approval,
        person=caller.target.person or PersonId(""),
        choice=said.choice,
        comment=said.comment,
        digest=said.digest,
        changes=said.changes,
        form=said.form,
        channel="webhook",
        identified_by=caller.identified_by,
    )


def _nobody() -> SignatureInvalid:
    return SignatureInvalid("The signature or token is missing or wrong.")
