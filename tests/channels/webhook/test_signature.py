"""Signatures by the letter: made as the standard's own library makes them, read by a strict grammar."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta, timezone

import pytest
from standardwebhooks import Webhook

from channels.webhook.signature import signed, verify
from engine.errors import SignatureInvalid
from tests.channels.webhook.conftest import NEW, OLD, STRANGE
from tests.clock import NOON

BODY = json.dumps({"choice": "approve"}).encode()
Headers = dict[str, str]
GOOD = signed(BODY, id="msg_1", at=NOON, secrets=[NEW])
V1 = GOOD["webhook-signature"]


def spoiled(**changes: str) -> Headers:
    """The good headers with others instead; `id`, `timestamp` and `signature` are meant."""
    return {**GOOD, **{f"webhook-{name}": value for name, value in changes.items()}}


@pytest.mark.parametrize(
    "headers",
    [
        *({}, {"webhook-signature": V1}, {**GOOD, "Webhook-Id": "msg_1"}),
        *(spoiled(id=bad) for bad in ["", "msg.1", "msg 1", "msg_2", "msg\n1", "é", "x" * 257]),
        *(spoiled(timestamp=bad) for bad in ["", "0", "-1", "1.5", " 1", "1 ", "1e9", "NaN", "٣"]),
        spoiled(timestamp=GOOD["webhook-timestamp"] + ".0"),
        spoiled(timestamp="0" + GOOD["webhook-timestamp"]),
        *(
            spoiled(signature=bad)
            for bad in ["", " ", "v1", "v1,", ",", V1[3:], f" {V1}", f"{V1} "]
        ),
        *(
            spoiled(signature=bad)
            for bad in [f"{V1},", f"{V1}  {V1}", f"{V1}\n", V1.lower(), V1 + "A"]
        ),
        *(
            spoiled(signature=bad)
            for bad in [f"x;{V1}", f"v1,$$ {V1}", f"v1 {V1}", "v1,é", V1[:-2]]
        ),
        spoiled(signature=" ".join([V1] * 17)),
        spoiled(signature=V1.replace("v1,", "v2,")),
    ],
    ids=str,
)
def test_anything_but_the_grammar_is_refused_and_never_crashes(headers: Headers) -> None:
    with pytest.raises(SignatureInvalid):
        verify(BODY, headers, [NEW], NOON)


@pytest.mark.parametrize("off", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_a_timestamp_more_than_five_minutes_off_is_refused(off: timedelta) -> None:
    with pytest.raises(SignatureInvalid):
        verify(BODY, GOOD, [NEW], NOON + off)


@pytest.mark.parametrize("bit", range(0, 32 * 8, 5))
def test_one_flipped_bit_is_refused(bit: int) -> None:
    mac = bytearray(base64.b64decode(V1[3:]))
    mac[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SignatureInvalid):
        verify(BODY, spoiled(signature=f"v1,{base64.b64encode(mac).decode()}"), [NEW], NOON)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], BODY.replace(b"approve", b"reject")])
def test_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(body, GOOD, [NEW], NOON)


def test_another_secret_or_none_is_refused() -> None:
    for secrets in ([STRANGE], []):
        with pytest.raises(SignatureInvalid):
            verify(BODY, GOOD, secrets, NOON)


@pytest.mark.parametrize(
    "spell",
    [
        lambda good: good,
        lambda good: {name.upper(): value for name, value in good.items()},
        lambda good: {**good, "webhook-signature": f"v1a,AAAA v1,AAAA {V1}"},
        lambda good: {**good, "webhook-signature": f"{V1} v1,AAAA"},
    ],
    ids=["as sent", "other letters", "wrong ones before it", "wrong ones after it"],
)
def test_a_good_signature_is_found_among_others(spell: Callable[[Headers], Headers]) -> None:
    assert verify(BODY, spell(GOOD), [NEW], NOON) == "msg_1"


@pytest.mark.parametrize("known", [[NEW], [OLD], [OLD, NEW], [STRANGE, OLD]])
def test_while_a_secret_is_replaced_either_side_may_be_first(known: list[str]) -> None:
    both = signed(BODY, id="msg_1", at=NOON, secrets=[NEW, OLD])

    assert verify(BODY, both, known, NOON) == "msg_1"


def test_a_signature_is_the_one_the_standards_library_makes_in_any_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))

    made = signed(BODY, id="msg_1", at=elsewhere, secrets=[NEW])

    assert made == GOOD
    assert made["webhook-signature"] == Webhook(NEW).sign("msg_1", NOON, BODY.decode())


def test_bytes_that_are_no_text_can_be_signed_and_verified() -> None:
    body = b"\xff\x00\xfe"

    assert verify(body, signed(body, id="m", at=NOON, secrets=[NEW]), [NEW], NOON) == "m"
