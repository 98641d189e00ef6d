"""Whether a request comes from Slack: its signature over the raw bytes, and its age."""

import hmac
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from channels.slack import limits
from engine.errors import SignatureInvalid

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


def verify(body: bytes, *, timestamp: str, signature: str, secret: bytes, now: datetime) -> None:
    """Return if `signature` covers `body` and is at most 300 seconds away from `now`.

    The headers are held to their grammar before anything is computed, so that no spelling of them
    can raise anything else. Repeats within the window are genuine: they are the inbox's to see.

    Raises:
        SignatureInvalid: otherwise. The message never says which part failed.
    """
    if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
        raise _invalid()
    expected = signed(body, timestamp=timestamp, secret=secret)
    is_genuine = hmac.compare_digest(expected.encode(), signature.encode())
    age = abs(now.astimezone(UTC).timestamp() - int(timestamp))
    if not (is_genuine and age <= limits.SIGNATURE_AGE.total_seconds()):
        raise _invalid()


def signed(body: bytes, *, timestamp: str, secret: bytes) -> str:
    """The signature that Slack would send for `body` at `timestamp`."""
    return "v0=" + hmac.new(secret, b"v0:%s:%s" % (timestamp.encode(), body), sha256).hexdigest()


def _invalid() -> SignatureInvalid:
    return SignatureInvalid("The request is not signed by Slack, or not now.")
