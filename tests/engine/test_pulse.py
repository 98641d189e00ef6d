"""A worker notices when what it drives keeps it from everything else."""

import hashlib
from datetime import timedelta

import pytest

from engine.clock import SystemClock
from engine.runtime.pulse import Pulse

pytestmark = pytest.mark.anyio

BLOCKED = timedelta(seconds=0.4)


async def test_code_that_does_not_give_way_is_noticed_and_forgotten_on_demand() -> None:
    pulse = Pulse()
    with pulse.beating():
        while pulse.blocked_for < BLOCKED:  # a thread looks on; nothing else gets a turn
            hashlib.pbkdf2_hmac("sha256", b"held", b"up", 100_000)
        pulse.begin_anew()

        assert pulse.blocked_for < BLOCKED


async def test_whoever_gives_way_is_not_to_blame() -> None:
    pulse = Pulse()
    with pulse.beating():
        pulse.begin_anew()
        await SystemClock().sleep(timedelta(milliseconds=1))

        assert pulse.blocked_for < BLOCKED
