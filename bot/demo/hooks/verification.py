"""Standard Webhooks, checked by the letter: what is wrong with a delivery, if anything."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

from bot.demo.trees import is_record, parsed

BODY_BYTES: Final = 20_000
TOLERANCE: Final = timedelta(minutes=5)
SECRET_BYTES: Final = range(24, 65)

_ID: Final = re.compile(r"[!-\-/-~]{1,255}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


def checked_secret(secret: str) -> str:
    """`secret` if it is one that Standard Webhooks allows.

    Raises:
        ValueError: if it is not `whsec_` and the base64 of 24 to 64 bytes.
    """
    prefix, _, encoded = secret.partition("_")
    size = len(base64.b64decode(encoded, validate=True))
    if prefix != "whsec" or size not in SECRET_BYTES:
        raise ValueError("A webhook secret is whsec_ and the base64 of 24 to 64 bytes.")
    return secret


def new_secret(randomness: str) -> str:
    """A secret made from random text of 24 to 64 characters."""
    return f"whsec_{base64.b64encode(randomness.encode()[:64]).decode()}"


def signature(secret: str, *, message_id: str, at: datetime, body: bytes) -> str:
    """The `webhook-signature` of `body`."""
    # The library takes the clock's digits for UTC, whatever their zone is.
    return Webhook(secret).sign(message_id, at.astimezone(UTC), body.decode())


def objection(
    body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], now: datetime
) -> tuple[int, str] | None:
    """The status and the reason with which a delivery is refused, or None.

    `headers` have lower-case names. Any of `secrets` may have signed, so that keys can rotate.
    """
    if len(body) > BODY_BYTES:
        return 413, "The body is larger than 20 kB."
    if reason := _unsigned(body, headers, secrets, now):
        return 401, reason
    if not headers.get("content-type", "").startswith("application/json"):
        return 415, "The body is not announced as JSON."
    if re.search(rb"\s", _STRINGS.sub(b"", body)):
        return 400, "The body is not minified."
    try:
        event = parsed(body)
    except ValueError:
        return 400, "The body is not JSON."
    if not is_record(event) or not {"type", "timestamp", "data"} <= event.keys():
        return 400, "The body lacks type, timestamp or data."
    kind = event["type"]
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", kind):
        return 400, "The type is not of the form a.b."
    return None


def _unsigned(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
) -> str | None:
    message_id = headers.get("webhook-id", "")
    seconds = headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(message_id):
        return "webhook-id is missing or malformed."
    if not _SECONDS.fullmatch(seconds):
        return "webhook-timestamp is missing or not whole seconds."
    at = datetime.fromtimestamp(int(seconds), tz=UTC)
    if abs(now - at) > TOLERANCE:
        return "webhook-timestamp is more than five minutes away."
    try:
        given = _given(headers.get("webhook-signature", ""))
        expected = [
            _given(signature(secret, message_id=message_id, at=at, body=body))[0]
            for secret in secrets
        ]
    except (ValueError, binascii.Error):
        return "webhook-signature or the body is malformed."
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        return "No signature matches."
    return None


def _given(header: str) -> list[bytes]:
    found: list[bytes] = []
    for entry in header.split(" "):
        version, comma, encoded = entry.partition(",")
        if not comma:
            raise ValueError(entry)
        if version == "v1":
            found.append(base64.b64decode(encoded, validate=True))
    return found
