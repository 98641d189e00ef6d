"""A permit as a token: the words that whoever was granted an effect shows its target, and their signature."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from engine.clock import from_iso, iso
from engine.digest import canonical, sha256
from engine.signing import Signer, is_signed

TAG: Final = "signoff/permit/v1"
TOKEN_CHARS_MAX: Final = 12 * 1024  # the longest names there may be, in the longest letters
_KEY_DIGITS: Final = slice(7, 23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One effect, one target, one short while. `attempt` counts how often the effect was granted.

    `digest` is what people agreed to in `approval`, and `key` the name of the key that signs this.
    """

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
    approval: str | None
    digest: str | None
    issued_at: datetime
    expires_at: datetime

    def to_json(self) -> dict[str, object]:
        """What is signed."""
        return {
            "version": TAG,
            "id": self.id,
            "tenant": self.tenant,
            "key": self.key,
            "audience": self.audience,
            "namespace": self.namespace,
            "request_id": self.request_id,
            "action": self.action,
            "fingerprint": self.fingerprint,
            "receipt": self.receipt,
            "attempt": self.attempt,
            "approval": self.approval,
            "digest": self.digest,
            "issued_at": iso(self.issued_at),
            "expires_at": iso(self.expires_at),
        }


def key_id(public: str) -> str:
    """The short name of a public key."""
    return sha256(public.encode())[_KEY_DIGITS]


def signed(permit: Permit, signer: Signer) -> str:
    """The permit as a token: its canonical words and their signature, each in base64url, with a dot between."""
    words = canonical(permit.to_json())
    signature = base64.b64decode(signer.sign(_tagged(words)))
    return f"{_encoded(words)}.{_encoded(signature)}"


def recognised(token: str, trusted: Sequence[str]) -> Permit | None:
    """The permit that `token` is, if one of the public keys `trusted` signed it; None for everything else."""
    parts = token.split(".") if len(token) <= TOKEN_CHARS_MAX else []
    read = [_decoded(part) for part in parts]
    if len(read) != 2 or read[0] is None or read[1] is None:
        return None
    words, signature = read[0], base64.b64encode(read[1]).decode()
    if not any(is_signed(_tagged(words), signature, by=key) for key in trusted):
        return None
    try:
        said: Any = json.loads(words)
        return _permit(said) if said["version"] == TAG else None
    except (LookupError, TypeError, ValueError):
        return None  # signed by a Signoff whose permits have other words


def _permit(said: dict[str, Any]) -> Permit:
    fields = {name: said[name] for name in Permit.__slots__}
    for moment in ("issued_at", "expires_at"):
        fields[moment] = from_iso(fields[moment])
    return Permit(**fields)


def _tagged(words: bytes) -> bytes:
    return TAG.encode() + b"\n" + words


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    try:
        found = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeError):
        return None
    return found if _encoded(found) == text else None  # one spelling, and no other
