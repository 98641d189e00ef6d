"""Standard Webhooks signatures over raw bytes: made with every secret, read by a strict grammar."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from channels.webhook.config import signing_key
from channels.webhook.limits import ID_CHARS_MAX, SIGNATURES_MAX, TOLERANCE
from engine.errors import SignatureInvalid

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

# An id with a dot would let one id and timestamp be read as another pair.
_ID: Final = re.compile(rf"[\x21-\x2d\x2f-\x7e]{{1,{ID_CHARS_MAX}}}")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,10}")
_ENTRY: Final = re.compile(r"[a-z0-9]{1,8},[A-Za-z0-9+/]{1,512}={0,2}")
_REFUSAL: Final = "The signature is missing, wrong or too old."


def signed(body: bytes, *, id: str, at: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of `body`, signed with every one of `secrets`.

    `at` is the moment of this attempt, in any zone. A receiver that knows one secret accepts.
    """
    seconds = str(int(at.timestamp()))
    signatures = " ".join(_signature(id, seconds, body, secret) for secret in secrets)
    return {ID: id, TIMESTAMP: seconds, SIGNATURE: signatures}


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime) -> str:
    """The webhook id of `body`, if one of `secrets` signed exactly these bytes.

    Entries of other versions, and wrong ones beside a right one, are passed over. Says nothing
    about repeats: whoever acts on it remembers the id.

    Raises:
        SignatureInvalid: if a header is missing, given twice or against the grammar, if the
            timestamp is more than five minutes off, or if no signature fits; which is never said.
    """
    id, seconds, entries = _grammar(headers)
    if abs(now.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise SignatureInvalid(_REFUSAL)
    expected = [_signature(id, seconds, body, secret).encode() for secret in secrets]
    # Every pair is compared, so that the time taken does not tell which one fitted.
    fits = [hmac.compare_digest(good, entry.encode()) for good in expected for entry in entries]
    if not any(fits):
        raise SignatureInvalid(_REFUSAL)
    return id


def _grammar(headers: Mapping[str, str]) -> tuple[str, str, list[str]]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in (ID, TIMESTAMP, SIGNATURE):
            if lowered in found:
                raise SignatureInvalid(_REFUSAL)
            found[lowered] = value
    id, seconds, entries = (found.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    listed = entries.split(" ", SIGNATURES_MAX)
    if (
        not _ID.fullmatch(id)
        or not _SECONDS.fullmatch(seconds)
        or len(listed) > SIGNATURES_MAX
        or not all(_ENTRY.fullmatch(entry) for entry in listed)
    ):
        raise SignatureInvalid(_REFUSAL)
    return id, seconds, listed


def _signature(id: str, seconds: str, body: bytes, secret: str) -> str:
    content = f"{id}.{seconds}.".encode() + body
    mac = hmac.new(signing_key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"
