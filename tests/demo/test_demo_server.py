"""The demo's server as a child: it tells why it did not come up, and its end is sure."""

from pathlib import Path

import pytest

from bot.demo.server import NotStarted, Server

pytestmark = pytest.mark.anyio


async def test_a_server_that_does_not_come_up_is_told_with_its_own_words(tmp_path: Path) -> None:
    server = Server(tmp_path, {"SIGNOFF_PORT": "none"})

    with pytest.raises(NotStarted, match="SIGNOFF_PORT"):
        await server.start()

    assert await server.kill() != 0


async def test_what_never_began_is_ended_already(tmp_path: Path) -> None:
    server = Server(tmp_path, {})

    await server.stop()

    assert await server.kill() == 0
    assert await server.ended() == 0
    assert server.log_tail() == ""
