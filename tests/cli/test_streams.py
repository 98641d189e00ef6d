"""An open stream hears that the server stops, and does not hold it up."""

import signal
from pathlib import Path

import pytest

from tests.api.listening import listening
from tests.cli.ground import SECONDS_MAX, new_shop, served

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_a_stop_ends_open_streams_with_a_word(tmp_path: Path) -> None:
    with served(new_shop(tmp_path)) as server:
        key = server.shop.says("keys", "create", "--name", "k", "--scope", "read").out.strip()
        async with listening(server.shop.url, key) as stream:
            assert (await stream.next()).name == "ready"

            server.process.send_signal(signal.SIGTERM)

            assert [each.name for each in await stream.ended()] == ["dropped"]
        assert server.process.wait(SECONDS_MAX) == 0
        assert "server.stopped" in server.log
        assert "Traceback" not in server.log
        assert "server.left_unfinished" not in server.log
