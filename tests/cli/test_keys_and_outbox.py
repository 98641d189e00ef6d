"""`signoff keys`, and a key at work through --url; `signoff outbox`."""

import httpx
import pytest
from typer.testing import CliRunner

from bot.cli.verbs import app
from tests.cli.conftest import Signoff
from tests.cli.ground import UNSET, Said, Server, until


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["--name", "x", "--scope", "vote"], "unknown_scope", id="a scope to vote"),
        pytest.param(["--name", "", "--scope", "read"], "bad_key_name", id="no name"),
        pytest.param(
            ["--name", "x", "--scope", "read", "--owner", "person:zoe"],
            "unknown_owner",
            id="nobody",
        ),
        pytest.param(
            ["--name", "x", "--scope", "read", "--expires-in", "soon"],
            "bad_duration",
            id="some day",
        ),
        pytest.param(
            ["--name", "x", "--scope", "read", "--expires-in", "0d"], "bad_duration", id="at once"
        ),
    ],
)
def test_a_key_that_cannot_be_is_not_made(signoff: Signoff, words: list[str], code: str) -> None:
    said = signoff("keys", "create", *words)

    assert (said.code, said.out) == (2, "")
    assert f"[{code}]" in said.err


def test_a_key_without_a_scope_is_a_usage_error(signoff: Signoff) -> None:
    said = signoff("keys", "create", "--name", "agent")

    assert said.code == 2
    assert "--scope" in said.err


def test_a_key_that_is_not_there_cannot_be_revoked(signoff: Signoff) -> None:
    said = signoff("keys", "revoke", "key_nowhere")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


def at(server: Server, key: str, *words: str) -> Said:
    """What `signoff words…` says from anywhere, with --url and a key."""
    environment = {**UNSET, "SIGNOFF_API_KEY": key, "SIGNOFF_URL": server.shop.url}
    ended = CliRunner(env=environment).invoke(app, words)
    return Said(code=ended.exit_code, out=ended.stdout, err=ended.stderr)


def test_a_key_that_was_never_made_is_refused(server: Server) -> None:
    said = at(server, "sk_1_guess", "runs", "list")

    assert (said.code, said.out) == (3, "")
    assert "[bad_key]" in said.err


def test_a_key_works_until_it_is_revoked(signoff: Signoff, server: Server) -> None:
    made = signoff("keys", "create", "--name", "reader", "--scope", "read", "--expires-in", "1d")
    key = made.out.strip()
    (listed,) = [
        each for each in signoff("keys", "list", "--json").json["keys"] if each["name"] == "reader"
    ]

    before = at(server, key, "runs", "list")
    revoked = signoff("keys", "revoke", listed["id"])
    after = at(server, key, "runs", "list")

    assert key.startswith("sk_")
    assert (before.code, revoked.code, after.code) == (0, 0, 3)
    assert "was revoked" in after.err


def test_a_key_does_only_what_its_scopes_say(signoff: Signoff, server: Server) -> None:
    key = signoff("keys", "create", "--name", "looks", "--scope", "read").out.strip()

    said = at(server, key, "run", "greet", "-i", "name=Ana")

    assert said.code == 3
    assert "[missing_scope]" in said.err


def test_a_key_never_votes(signoff: Signoff, server: Server) -> None:
    key = signoff("keys", "create", "--name", "eager", "--scope", "operate").out.strip()

    said = at(server, key, "approvals", "approve", "apr_nowhere")

    assert said.code == 3
    assert "[not_signed_in]" in said.err


def test_keys_are_listed_without_what_could_make_them(signoff: Signoff) -> None:
    key = signoff("keys", "create", "--name", "listed", "--scope", "read", "--json").json["key"]

    listed = signoff("keys", "list")

    assert listed.code == 0
    assert "listed" in listed.out
    assert key not in listed.out


def test_a_message_that_is_not_dead_is_not_sent_again(signoff: Signoff) -> None:
    said = signoff("outbox", "redrive", "dlv_nowhere")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


def test_a_state_that_messages_do_not_have_is_not_understood(signoff: Signoff) -> None:
    assert signoff("outbox", "list", "--status", "lost").code == 2


def test_what_was_given_up_is_listed_and_sent_again(signoff: Signoff, server: Server) -> None:
    words = ("--name", "asks", "--scope", "approvals:ask")
    key = signoff("keys", "create", *words).out.strip()
    body = {"title": "Call home?", "approvers": "person:bo", "callback_url": "https://localhost/"}
    bearer = {"Authorization": f"Bearer {key}"}
    asked = httpx.post(
        f"{server.shop.url}/api/approvals", json=body, headers=bearer, trust_env=False
    ).json()
    signoff("approvals", "cancel", asked["id"], "--reason", "nobody is at home")
    until(lambda: signoff("outbox", "list", "--status", "dead", "--json").json["deliveries"])

    listed = signoff("outbox", "list", "--status", "dead")
    (dead,) = signoff("outbox", "list", "--status", "dead", "--json").json["deliveries"]
    again = signoff("outbox", "redrive", dead["id"])

    assert "not a public address" in listed.out
    assert (again.code, again.out) == (0, "1 will be sent again.\n")
    assert signoff("outbox", "redrive", "--json").code == 0
