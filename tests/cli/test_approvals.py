"""`signoff approvals`, `login` and `logout`: strangers and mistakes first, then people who decide."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Signoff
from tests.cli.ground import Server, sign_in, until


def asked(signoff: Signoff, order: str, *, quorum: int = 1) -> str:
    """The id of an approval that waits."""
    run = signoff("run", "pay", "-i", f"order={order}", "-i", f"quorum={quorum}").out.strip()
    until(lambda: signoff("runs", "show", run, "--json").json["waiting_for"])
    return str(signoff("runs", "show", run, "--json").json["waiting_for"]["approval"])


def ended(signoff: Signoff, run: str) -> str:
    """The run as it is shown once it has ended."""
    until(lambda: signoff("runs", "show", run, "--json").json["ended_at"])
    return signoff("runs", "show", run).out


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_nobody_votes_without_signing_in(signoff: Signoff, verb: str) -> None:
    said = signoff("approvals", verb, "apr_nowhere")

    assert (said.code, said.out) == (3, "")
    assert "signoff login" in said.err
    assert "[not_signed_in]" in said.err


def test_an_approval_that_is_not_there_is_not_shown(signoff: Signoff) -> None:
    said = signoff("approvals", "show", "apr_nowhere")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


def test_voting_on_what_is_not_there_fails(signoff: Signoff) -> None:
    said = signoff("approvals", "approve", "apr_nowhere", who="ana")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["extend", "apr_nowhere", "--by", "2h", "--reason", "ill"], 1, id="extend"),
        pytest.param(["extend", "apr_nowhere", "--reason", "ill"], 2, id="extend by nothing"),
        pytest.param(["cancel", "apr_nowhere", "--reason", "twice"], 1, id="cancel"),
        pytest.param(["cancel", "apr_nowhere"], 2, id="cancel without a reason"),
        pytest.param(["list", "--status", "undecided"], 2, id="list of no state"),
        pytest.param(["list", "--approver", "ana"], 2, id="list of no person"),
    ],
)
def test_what_is_not_there_or_not_understood_is_told(
    signoff: Signoff, words: list[str], code: int
) -> None:
    said = signoff("approvals", *words)

    assert (said.code, said.out) == (code, "")
    assert said.err


def test_a_stranger_never_counts(signoff: Signoff) -> None:
    approval = asked(signoff, "o1")

    said = signoff("approvals", "approve", approval, "--json", who="eve")

    assert (said.code, said.out) == (3, "")
    assert "[not_eligible]" in said.err


def test_a_session_that_ended_is_refused_and_says_what_to_do(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "signoff" / "session.json"
    ended = {"token": "gone", "person": "eve", "expires_at": "2026-01-01T00:00:00Z"}
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_text(json.dumps({f"sqlite:{server.shop.database.resolve()}": ended}))

    said = server.shop.says("approvals", "approve", "apr_nowhere", home=tmp_path)

    assert (said.code, said.out) == (3, "")
    assert "signoff login" in said.err
    assert "[bad_session]" in said.err


def test_a_quorum_of_two_takes_two_people(signoff: Signoff) -> None:
    approval = asked(signoff, "o2", quorum=2)

    first = signoff("approvals", "approve", approval, "--comment", "seen the bill", who="ana")
    again = signoff("approvals", "approve", approval, who="ana")
    second = signoff("approvals", "approve", approval, "--json", who="bo")

    assert first.code == again.code == second.code == 0
    assert "Pay 1.00 for o2?" in first.out
    assert first.out.splitlines()[-1] == "Recorded. 1 of 2 approvals."
    assert second.json["status"] == "approved"
    shown = signoff("approvals", "show", approval).out
    assert "✓ approved" in shown
    assert "“seen the bill”" in shown


def bargained(signoff: Signoff) -> tuple[str, str]:
    """A run, and its approval whose amount may be changed."""
    run = signoff("run", "bargain", "-i", "amount=100.00 USD").out.strip()
    until(lambda: signoff("runs", "show", run, "--json").json["waiting_for"])
    return run, str(signoff("runs", "show", run, "--json").json["waiting_for"]["approval"])


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (["amount"], 2, "field=value"),
        (["amount=1.00 USD", "amount=2.00 USD"], 2, "field=value"),
        (["amount=12.00 EUR"], 2, "[invalid_changes]"),
        (["order=17"], 2, "[invalid_changes]"),
    ],
)
def test_a_change_that_cannot_be_made_is_no_vote(
    signoff: Signoff, change: list[str], code: int, named: str
) -> None:
    _run, approval = bargained(signoff)
    words = [word for each in change for word in ("--change", each)]

    said = signoff("approvals", "approve", approval, *words, who="ana")

    assert (said.code, named in said.err) == (code, True), said.err
    assert signoff("approvals", "show", approval, "--json").json["votes"] == []


def test_whoever_approves_may_change_what_is_asked(signoff: Signoff) -> None:
    run, approval = bargained(signoff)
    change = ("--change", "amount=80.00 USD")

    first = signoff("approvals", "approve", approval, *change, who="ana")
    shown = signoff("approvals", "show", approval).out
    second = signoff("approvals", "approve", approval, *change, "--json", who="bo")

    assert first.out.splitlines()[-1].startswith("Recorded. 1 of 2 approvals")
    assert ("100.00 USD" in shown, "80.00 USD" in shown) == (True, True)
    assert second.json["status"] == "approved"
    assert "settled with 80.00 USD" in ended(signoff, run)


def test_a_late_vote_changes_nothing(signoff: Signoff) -> None:
    approval = asked(signoff, "o3")
    signoff("approvals", "approve", approval, who="ana")

    said = signoff("approvals", "reject", approval, who="bo")

    assert said.code == 3
    assert "[already_decided]" in said.err
    assert signoff("approvals", "show", approval, "--json").json["status"] == "approved"


def test_a_rejection_undoes_the_run_and_shows_it(signoff: Signoff) -> None:
    approval = asked(signoff, "o4")
    run = signoff("approvals", "show", approval, "--json").json["run"]
    planned = signoff("runs", "show", run).out

    said = signoff("approvals", "reject", approval, "-m", "too much", who="bo")

    assert said.code == 0
    assert "Rejecting goes back to the start" in planned
    assert "1. ↶ undoes " in planned
    shown = ended(signoff, run)
    assert "Went back to the start: 100% undone" in shown
    assert "↶ rolled back" in shown
    assert "too much" in shown
    assert "↶ undone" in shown


def test_more_time_moves_the_deadline(signoff: Signoff) -> None:
    approval = asked(signoff, "o5")
    before = signoff("approvals", "show", approval, "--json").json["expires_at"]

    words = ("approvals", "extend", approval, "--by", "2h", "--reason", "ana is away")
    after = signoff(*words, "--json").json["expires_at"]

    assert after > before


def test_what_is_taken_back_cannot_be_decided(signoff: Signoff) -> None:
    approval = asked(signoff, "o6")

    taken = signoff("approvals", "cancel", approval, "--reason", "ordered twice")
    said = signoff("approvals", "approve", approval, who="ana")

    assert taken.code == 0
    assert "– cancelled" in taken.out
    assert said.code == 3


def test_open_approvals_are_listed_for_whom_they_wait(signoff: Signoff) -> None:
    approval = asked(signoff, "o7")

    assert approval in signoff("approvals", "list").out
    assert approval in signoff("approvals", "list", "--approver", "person:bo").out
    assert approval not in signoff("approvals", "list", "--approver", "person:eve").out
    assert approval in signoff("approvals", "list", "--status", "all").out


def test_what_others_wrote_cannot_steer_the_terminal(signoff: Signoff) -> None:
    approval = asked(signoff, "\x1b[2J\u202eo8[bold]")

    shown = signoff("approvals", "show", approval).out

    assert "\x1b" not in shown
    assert "⟨U+001B⟩[2J⟨U+202E⟩o8[bold]" in shown


def test_logging_out_ends_the_session_for_good(
    signoff: Signoff, server: Server, home_of: Callable[..., Path], tmp_path: Path
) -> None:
    assert sign_in(server, "bo@example.com", tmp_path).code == 0
    file = tmp_path / "signoff" / "session.json"
    kept = file.read_text()

    out = server.shop.says("logout", home=tmp_path)
    file.write_text(kept)
    after = server.shop.says("approvals", "approve", "apr_nowhere", home=tmp_path)

    assert (out.code, out.out) == (0, "Signed out.\n")
    assert after.code == 3
    assert "[bad_session]" in after.err


def test_sessions_that_others_can_read_are_not_used(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "signoff" / "session.json"
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)

    said = server.shop.says("approvals", "approve", "apr_nowhere", home=tmp_path)

    assert said.code == 3
    assert f"chmod 600 {file}" in said.err


def test_signing_in_keeps_the_session_for_this_user_alone(
    signoff: Signoff, home_of: Callable[..., Path]
) -> None:
    file = home_of("ana") / "signoff" / "session.json"

    assert file.stat().st_mode & 0o777 == 0o600
    assert [each["person"] for each in json.loads(file.read_text()).values()] == ["ana"]
