"""What the command line makes of words, servers and keys that are not there."""

from pathlib import Path

import pytest

from tests.cli import in_process
from tests.cli.ground import UNSET, Said, free_port, new_shop

SHOWING = [
    ["runs", "list"],
    ["runs", "show", "run_1"],
    ["runs", "journal", "run_1"],
    ["runs", "replay", "run_1"],
    ["runs", "cancel", "run_1", "--reason", "x"],
    ["runs", "retry", "run_1", "--reason", "x"],
    ["runs", "skip", "run_1", "--reason", "x"],
    ["run", "greet"],
    ["approvals", "list"],
    ["approvals", "show", "apr_1"],
    ["approvals", "extend", "apr_1", "--by", "1h", "--reason", "x"],
    ["approvals", "cancel", "apr_1", "--reason", "x"],
    ["outbox", "list"],
    ["outbox", "redrive"],
    ["keys", "create", "--name", "x", "--scope", "read"],
    ["keys", "list"],
    ["keys", "revoke", "key_1"],
]
VERBS = [*SHOWING, ["approvals", "approve", "apr_1"], ["approvals", "reject", "apr_1"]]


def typed(*words: str, **environment: str) -> Said:
    code, out, err = in_process.typed(words, {**UNSET, **environment})
    return Said(code=code, out=out, err=err)


def name(words: list[str]) -> str:
    return " ".join(words[:2])


@pytest.mark.parametrize("words", [SHOWING[0], SHOWING[4], SHOWING[16]], ids=name)
def test_a_server_that_is_not_there_is_one_sentence(words: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    said = typed(*words, "--url", url, SIGNOFF_API_KEY="sk_1_x")

    assert (said.code, said.out) == (1, "")
    assert said.err.count("\n") == 1
    assert url in said.err
    assert "[unreachable]" in said.err


@pytest.mark.parametrize("words", SHOWING, ids=name)
def test_without_a_key_nothing_is_asked_of_a_server_elsewhere(words: list[str]) -> None:
    said = typed(*words, "--url", "https://bot.example.com")

    assert (said.code, said.out) == (3, "")
    assert "SIGNOFF_API_KEY" in said.err
    assert "[no_key]" in said.err


@pytest.mark.parametrize("words", [*VERBS, ["login", "ana"]], ids=name)
def test_a_key_never_travels_in_the_open(words: list[str], tmp_path: Path) -> None:
    home = str(tmp_path)

    said = typed(
        *words, "--url", "http://bot.example.com", SIGNOFF_API_KEY="sk_1_x", XDG_CONFIG_HOME=home
    )

    assert (said.code, said.out) == (2, "")
    assert "[bad_url]" in said.err


@pytest.mark.parametrize("url", ["bot.example.com", "ftp://bot", "https://", "https://a:b@bot"])
def test_what_is_no_address_is_refused(url: str) -> None:
    assert typed("runs", "list", "--url", url, SIGNOFF_API_KEY="sk_1_x").code == 2


@pytest.mark.parametrize(
    "words",
    [["fly"], ["runs", "fly"], ["runs", "show"], ["run"], ["runs", "list", "--limit", "0"], []],
    ids=name,
)
def test_words_that_are_no_command_exit_with_2(words: list[str]) -> None:
    said = typed(*words)

    assert said.code == 2
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize("words", [["--help"], ["-h"], *([*each[:2], "-h"] for each in VERBS)])
def test_every_verb_says_what_it_does(words: list[str]) -> None:
    said = typed(*words)

    assert said.code == 0
    assert "Usage: " in said.out


def test_the_version_is_printed() -> None:
    assert typed("--version").out.startswith("signoff ")


def test_settings_that_are_wrong_are_told_by_every_verb(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, SIGNOFF_DATABASE_URL="mysql://x")

    said = shop.says("runs", "list")

    assert (said.code, said.out) == (2, "")
    assert "SIGNOFF_DATABASE_URL" in said.err
    assert "Traceback" not in said.err
