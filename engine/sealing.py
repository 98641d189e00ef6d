"""AES-256-GCM: texts and keys sealed under a key, bound to the place that they were sealed for."""

import base64
import binascii
import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


def key_from(secret: str) -> bytes:
    """The key that a fresh `secret` of 256 bits or more stands for."""
    return hashlib.sha256(f"signoff/sealing-key/v1:{secret}".encode()).digest()


def sealed(key: bytes, content: bytes, *, place: str, secret: str) -> str:
    """`content` as only whoever has `key` reads it, and only as that of `place`; letters, digits, - and _.

    `secret` is fresh each time: of it the nonce is made, and no two of one key may be the same.
    """
    nonce = hashlib.sha256(f"signoff/sealing-nonce/v1:{secret}".encode()).digest()[:_NONCE_BYTES]
    closed = nonce + AESGCM(key).encrypt(nonce, content, place.encode())
    return base64.urlsafe_b64encode(closed).rstrip(b"=").decode()


def opened(key: bytes, closed: str, *, place: str) -> bytes | None:
    """What `sealed` was given; None under another key, for another place, or if a bit was changed."""
    try:
        raw = base64.urlsafe_b64decode(closed + "=" * (-len(closed) % 4))
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError, binascii.Error):
        return None
