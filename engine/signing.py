"""Ed25519 signatures: whoever has the public key can tell who signed these very bytes."""

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PREFIX: Final = "ed25519:"
SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """Signs with the key that `seed`, 32 secret bytes, stands for: the same seed, the same key."""

    seed: bytes

    @property
    def public(self) -> str:
        """The public key as it is printed and handed on: `ed25519:` and base64."""
        return PREFIX + base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, content: bytes) -> str:
        """The signature of `content`, in base64."""
        return base64.b64encode(self._key.sign(content)).decode()

    @property
    def _key(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)


def is_public_key(text: str) -> bool:
    """Whether `text` is a public key as `Signer.public` prints one."""
    return _public(text) is not None


def is_signed(content: bytes, signature: str, *, by: str) -> bool:
    """Whether `signature` is one of `content` by the public key `by`; no for whatever cannot be read."""
    from cryptography.exceptions import InvalidSignature

    key = _public(by)
    if key is None:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _public(text: str) -> "Ed25519PublicKey | None":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not text.startswith(PREFIX):
        return None
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        return Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError):
        return None
