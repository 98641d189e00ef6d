"""The log says what happened, and never what opens something."""

import json
import subprocess
import sys

import pytest

from bot.logbook import HIDDEN, hide_secrets


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("sk_0192abc_Zm9vYmFy-_9", "Zm9v", id="an API key"),
        pytest.param("xoxb-123-456-abcDEF", "abcDEF", id="a Slack token"),
        pytest.param("whsec_c2VjcmV0c2VjcmV0", "c2Vj", id="a webhook's secret"),
        pytest.param("Bearer abc.def-ghi_jkl", "abc", id="a bearer"),
        pytest.param("https://bot/respond/abcdefghijklmnop", "abcdef", id="a mail's link"),
        pytest.param("https://bot/sign-in/abcdefghijklmnop", "abcdef", id="a sign-in link"),
        pytest.param("smtp://user:hunter22@mail", "hunter22", id="a password in an address"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_at_any_depth(text: str, secret: str) -> None:
    deep = {"list": [text], "mapping": {"deeper": (f"<{text}>",)}, "bytes": text.encode()}

    told = hide_secrets(None, "info", {"event": f"told {text}", **deep})

    assert secret not in json.dumps(told)
    assert HIDDEN in told["event"]


@pytest.mark.parametrize("name", ["token", "slack_bot_token", "Authorization", "api-key", "cookie"])
def test_what_is_named_like_a_secret_is_hidden(name: str) -> None:
    assert hide_secrets(None, "info", {"event": "x", name: "quite harmless"})[name] == HIDDEN


@pytest.mark.parametrize("name", ["key_id", "tokens_used", "run", "secretary"])
def test_what_only_sounds_like_one_is_told(name: str) -> None:
    assert hide_secrets(None, "info", {"event": "x", name: "run_1"})[name] == "run_1"


SPEAKS = """
import logging, structlog
from bot.logbook import configure
configure("json")
structlog.get_logger("engine.runtime").info("run.claimed", run="run_1")
structlog.get_logger("bot").info("server.stopped", token="t0p", run="run_1")
logging.getLogger("some.library").warning("sent %s", "sk_1_abcdef")
"""


def test_the_log_is_lines_of_json_on_stderr_and_single_runs_do_not_flood_it() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SPEAKS], capture_output=True, text=True, check=True
    )

    lines = [json.loads(line) for line in said.stderr.splitlines()]
    assert said.stdout == ""
    assert [line["event"] for line in lines] == ["server.stopped", f"sent {HIDDEN}"]
    assert lines[0]["token"] == HIDDEN
    assert lines[0]["run"] == "run_1"
