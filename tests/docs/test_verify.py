"""The few lines that the page on webhooks gives to receivers: they accept ours, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from channels.webhook.signature import signed
from engine.clock import SystemClock
from tests.architecture.sources import ROOT
from tests.docs.pages import blocks_of

SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=", "whsec_" + "b2xk" * 8]
BODY = '{"type":"approval.opened","é":1}'.encode()


@pytest.fixture
def verified() -> Callable[..., str]:
    page = blocks_of(ROOT / "docs" / "how-to" / "webhooks.md")
    found: dict[str, Any] = {}
    exec(next(block.text for block in page if block.note("file") == "verify.py"), found)
    function: Callable[..., str] = found["verified"]
    return function


def test_what_is_not_ours_is_refused(verified: Callable[..., str]) -> None:
    now = SystemClock().now()
    headers = signed(BODY, id="msg_1", at=now, secrets=SECRETS)
    others = signed(BODY, id="msg_1", at=now, secrets=["whsec_" + "b3RoZXJz" * 4])

    for body, given in ((BODY + b" ", headers), (BODY, others)):
        with pytest.raises(ValueError, match="not signed"):
            verified(body, given, SECRETS)


def test_what_is_ours_is_accepted_under_either_secret(verified: Callable[..., str]) -> None:
    headers = signed(BODY, id="msg_1", at=SystemClock().now(), secrets=SECRETS)

    assert [verified(BODY, headers, [secret]) for secret in SECRETS] == ["msg_1", "msg_1"]
