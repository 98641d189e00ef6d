"""Text from strangers steers no terminal, and begins no line of a log."""

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from bot.cli.terminal import print_json
from bot.logbook import HIDDEN, hide_secrets
from bot.web.waiting import WaitingRoom

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\u2028\x7f"
LOGS = """
import logging, structlog
from bot.logbook import configure
configure({form!r})
structlog.stdlib.get_logger("http").info("http.answered", path={text!r}, deep=[{{"a": {text!r}}}])
logging.getLogger("library").warning("bad request: %s", {text!r})
try:
    raise ValueError({text!r})
except ValueError:
    structlog.stdlib.get_logger("http").exception("http.failed")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_log_holds_nothing_that_steers_a_terminal(form: str) -> None:
    script = LOGS.format(form=form, text=HOSTILE)

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert {char for char in ran.stderr if not char.isprintable()} <= {"\n", "\t"}
    assert "U+001B" in ran.stderr


def test_a_stranger_begins_no_line_of_the_log() -> None:
    script = LOGS.format(form="console", text="/x\n2026-01-01 [info] key.created by=dana")

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    lines = ran.stderr.partition("Traceback")[0].splitlines()
    assert not any(line.startswith("2026-01-01 [info]") for line in lines)


def test_where_slack_may_be_answered_is_no_matter_for_a_log() -> None:
    url = "https://hooks.slack.com/actions/T0/123/abcDEF"

    told = hide_secrets(None, "info", {"event": f"POST {url} failed", "response_url": url})

    assert "abcDEF" not in json.dumps(told)
    assert told["response_url"] == HIDDEN


def test_json_for_programs_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"title": HOSTILE, "city": "Málaga"})

    printed = capsys.readouterr().out
    assert printed.removesuffix("\n").isprintable()
    assert json.loads(printed) == {"title": HOSTILE, "city": "Málaga"}
    assert "Málaga" in printed


def test_nobody_takes_every_place_to_wait() -> None:
    room = WaitingRoom(places=3, each=2)

    with ExitStack() as places:
        given = [places.enter_context(room.place(f"key:{who}")) for who in "aaabc"]
    with room.place("key:a") as again:
        given.append(again)

    assert given == [True, True, False, True, False, True]
