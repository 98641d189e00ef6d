"""Only Slack's own signature over these very bytes, at most five minutes old, is taken."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.slack.signature import signed, verify
from engine.errors import SignatureInvalid

# The example of Slack's documentation.
SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
TIMESTAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
    b"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
THEN = datetime.fromtimestamp(int(TIMESTAMP), tz=UTC)


def check(**changes: object) -> None:
    given = {"body": BODY, "timestamp": TIMESTAMP, "signature": SIGNATURE, "now": THEN, **changes}
    body, timestamp, signature, now = (
        given[name] for name in ("body", "timestamp", "signature", "now")
    )
    if not isinstance(body, bytes) or not isinstance(now, datetime):
        raise TypeError
    verify(body, timestamp=str(timestamp), signature=str(signature), secret=SECRET, now=now)


@pytest.mark.parametrize("seconds", [-301, 301, 3_600, -86_400])
def test_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureInvalid):
        check(now=THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_five_minutes_either_way_are_allowed(seconds: int) -> None:
    check(now=THEN + timedelta(seconds=seconds))


@pytest.mark.parametrize("position", range(0, len(BODY), 37))
def test_a_changed_byte_is_refused(position: int) -> None:
    body = BODY[:position] + bytes([BODY[position] ^ 1]) + BODY[position + 1 :]

    with pytest.raises(SignatureInvalid):
        check(body=body)


OTHER_TIMESTAMPS = [
    *("", " ", f" {TIMESTAMP}", f"{TIMESTAMP}\n", f"+{TIMESTAMP}", f"{TIMESTAMP}.0", "1e9"),
    *("-1", "NaN", "inf", "0x5b47", "9" * 400, "1_531_420_618", "\x00"),
    *("".join(chr(zero + int(digit)) for digit in TIMESTAMP) for zero in (0x0660, 0xFF10)),
]
OTHER_SIGNATURES = [
    *("", "v0=", SIGNATURE.upper(), SIGNATURE[:-1], SIGNATURE + "0", "v1" + SIGNATURE[2:]),
    *(SIGNATURE[3:], f" {SIGNATURE}", f"{SIGNATURE}\n", f"{SIGNATURE},{SIGNATURE}", "v0=é" * 20),
    *("v0=" + char * 64 for char in ("g", "0", "\u0660", "\x00")),
    "\udcff",
]


@pytest.mark.parametrize("timestamp", OTHER_TIMESTAMPS)
def test_a_timestamp_in_another_spelling_is_refused(timestamp: str) -> None:
    with pytest.raises(SignatureInvalid):
        check(timestamp=timestamp, signature=signed(BODY, timestamp=timestamp, secret=SECRET))


@pytest.mark.parametrize("signature", OTHER_SIGNATURES)
def test_a_signature_in_another_spelling_is_refused(signature: str) -> None:
    with pytest.raises(SignatureInvalid):
        check(signature=signature)


def test_another_secret_is_refused() -> None:
    forged = signed(BODY, timestamp=TIMESTAMP, secret=b"another secret of the same app....")

    with pytest.raises(SignatureInvalid):
        check(signature=forged)


def test_the_example_of_slacks_documentation_is_taken() -> None:
    assert signed(BODY, timestamp=TIMESTAMP, secret=SECRET) == SIGNATURE
    check()
