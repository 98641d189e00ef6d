"""Permits: what an effect's target checks on its own with a public key, or spends at the server, before it acts."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from signoff.answers import Answer

TAG: Final = "signoff/permit/v1"
EFFECT: Final = "signoff/effect/v1"
KEY: Final = "ed25519:"
TOKEN_CHARS_MAX: Final = 12 * 1024
LEEWAY: Final = timedelta(seconds=5)


class PermitRefused(Exception):
    """Do not make the effect. `code` is stable: `bad_permit`, `permit_audience`, `permit_effect`, `permit_expired`."""

    code = "refused"


class NotOurs(PermitRefused):
    """No permit, or one that none of the keys has signed."""

    code = "bad_permit"


class OtherAudience(PermitRefused):
    """A permit for another target."""

    code = "permit_audience"


class OtherEffect(PermitRefused):
    """A permit for another action, or another payload."""

    code = "permit_effect"


class PermitExpired(PermitRefused):
    """A permit whose time is over, or has not come by this machine's clock."""

    code = "permit_expired"


class Permit(Answer):
    """What a permit says. `fingerprint` is of action and payload; `digest` of what people agreed to in `approval`."""

    version: str
    id: str
    tenant: str
    key: str
    audience: str
    namespace: str
    request_id: str
    action: str
    fingerprint: str
    receipt: str
    attempt: int
    approval: str | None = None
    digest: str | None = None
    issued_at: datetime
    expires_at: datetime


class SpentPermit(Permit):
    """A permit that this caller has spent: the effect is its to make."""

    ok: bool
    spend_id: str
    spent_by: str
    spent_at: datetime


def verify(
    token: str,
    key: str | Sequence[str],
    *,
    action: str,
    payload: object,
    audience: str,
    now: datetime | None = None,
) -> Permit:
    """The permit that `token` is, for this very effect at this target, without asking anybody.

    `key` is the public key of the tenant whose permits count, or all that do after it has changed. Clocks
    may differ by `LEEWAY`. That nobody comes with the same permit again is not known here: spend it, or
    keep its `id` until `LEEWAY` after `expires_at`, and refuse it meanwhile. Needs `signoff[permits]`.

    Raises:
        NotOurs, OtherAudience, OtherEffect, PermitExpired: all of them `PermitRefused`.
        ValueError: if a key is no public key.
    """
    words, signature = _opened(token)
    if not any(_is_signed(words, signature, by=each) for each in _listed(key)):
        raise NotOurs("No known key has signed this permit.")
    permit = _read(words)
    if permit.audience != audience:
        raise OtherAudience(f"The permit is for {permit.audience!r}, and this is {audience!r}.")
    if permit.fingerprint != fingerprint(action, payload):
        raise OtherEffect(f"The permit is for another effect than {action!r} with this payload.")
    at = now or datetime.now(UTC)
    if not permit.issued_at - LEEWAY <= at < permit.expires_at + LEEWAY:
        raise PermitExpired(
            f"The permit is good from {permit.issued_at} to {permit.expires_at}, and it is {at}."
        )
    return permit


def fingerprint(action: str, payload: object) -> str:
    """What tells an effect from every other one: a hash over the canonical JSON of action and payload.

    Raises:
        OtherEffect: for a payload that is not JSON, or has numbers that not every reader keeps.
    """
    import rfc8785

    effect: Any = {"action": action, "payload": payload}
    try:
        words = rfc8785.dumps(effect)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise OtherEffect(f"No permit is for such a payload: {error}.") from None
    return "sha256:" + hashlib.sha256(EFFECT.encode() + b"\n" + words).hexdigest()


def _opened(token: str) -> tuple[bytes, bytes]:
    parts = token.split(".") if len(token) <= TOKEN_CHARS_MAX else []
    if len(parts) != 2:
        raise NotOurs("This is no permit.")
    return _decoded(parts[0]), _decoded(parts[1])


def _decoded(text: str) -> bytes:
    try:
        found = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeError):
        raise NotOurs("This is no permit.") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != text:
        raise NotOurs("This is no permit.")
    return found


def _is_signed(words: bytes, signature: bytes, *, by: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = base64.b64decode(by.removeprefix(KEY), validate=True)
        public = Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{by!r} is no public key of permits: {error}.") from None
    try:
        public.verify(signature, TAG.encode() + b"\n" + words)
    except InvalidSignature:
        return False
    return True


def _read(words: bytes) -> Permit:
    try:
        said: Mapping[str, Any] = json.loads(words)
        permit = Permit.model_validate(said)
    except (ValidationError, ValueError):
        raise NotOurs("The permit has words that this version does not know.") from None
    if permit.version != TAG:
        raise NotOurs("The permit has words that this version does not know.")
    return permit


def _listed(key: str | Sequence[str]) -> Sequence[str]:
    return [key] if isinstance(key, str) else key
