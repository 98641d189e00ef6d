"""`signoff run` and `signoff runs`: refusals, then runs that begin, end, and are looked at."""

import json

import pytest

from tests.cli.conftest import Signoff
from tests.cli.ground import Server, until


@pytest.mark.parametrize("verb", ["show", "journal", "changes", "replay"])
def test_looking_at_a_run_that_is_not_there_fails(signoff: Signoff, verb: str) -> None:
    said = signoff("runs", verb, "run_nowhere")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


@pytest.mark.parametrize("verb", ["cancel", "retry", "skip"])
def test_operating_a_run_that_is_not_there_fails(signoff: Signoff, verb: str) -> None:
    said = signoff("runs", verb, "run_nowhere", "--reason", "tidying up")

    assert (said.code, said.out) == (1, "")
    assert "[not_found]" in said.err


@pytest.mark.parametrize("verb", ["cancel", "retry", "skip"])
def test_operating_a_run_needs_a_reason(signoff: Signoff, verb: str) -> None:
    said = signoff("runs", verb, "run_nowhere")

    assert said.code == 2
    assert "--reason" in said.err


def test_an_id_that_is_a_path_leads_nowhere_else(signoff: Signoff) -> None:
    said = signoff("runs", "show", "../keys")

    assert said.code in {1, 2}
    assert said.out == ""


def test_a_state_that_does_not_exist_is_not_understood(signoff: Signoff) -> None:
    said = signoff("runs", "list", "--status", "asleep")

    assert said.code == 2
    assert "[invalid_request]" in said.err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["-i", "order"], id="no equals sign"),
        pytest.param(["-i", "=17"], id="no name"),
        pytest.param(["-i", "name=a", "-i", "name=b"], id="the same name twice"),
        pytest.param(["-i", "name=a", "--input-json", "{}"], id="both ways at once"),
        pytest.param(["--input-json", "{"], id="no JSON"),
        pytest.param(["--input-json", '["a"]'], id="no object"),
        pytest.param(["--input-json", '{"name": "a", "name": "b"}'], id="a JSON key twice"),
    ],
)
def test_input_that_cannot_be_understood_starts_nothing(signoff: Signoff, words: list[str]) -> None:
    before = signoff("runs", "list", "--json").json

    said = signoff("run", "greet", *words)

    assert (said.code, said.out) == (2, "")
    assert signoff("runs", "list", "--json").json == before


def test_a_workflow_that_is_not_registered_is_refused_by_name(signoff: Signoff) -> None:
    said = signoff("run", "gret", "-i", "name=Ana")

    assert (said.code, said.out) == (2, "")
    assert "greet, pay, release, spill, stumble" in said.err
    assert "[unknown_workflow]" in said.err


def test_input_that_the_workflow_does_not_take_is_refused(signoff: Signoff) -> None:
    said = signoff("run", "greet", "-i", "nme=Ana")

    assert said.code == 2
    assert "nme: greet has no such input." in said.err


def test_a_run_that_fails_says_why_and_exits_with_1(signoff: Signoff) -> None:
    said = signoff("run", "stumble", "--wait")

    assert said.code == 1
    assert "the floor is wet" in said.out
    assert "Traceback" not in said.out + said.err


def test_a_run_is_started_waited_for_and_shown(signoff: Signoff) -> None:
    said = signoff("run", "greet", "-i", "name=Ana", "-i", "times=2", "--wait")

    assert said.code == 0
    assert "hello Ana, hello Ana" in said.out
    assert "✓ completed" in said.out
    assert "greeting" in said.out


def test_input_may_be_one_json_object(signoff: Signoff) -> None:
    given = json.dumps({"name": "Bo", "times": 1})

    said = signoff("run", "greet", "--input-json", given, "--wait", "--json")

    assert said.code == 0
    assert said.json["result"] == "hello Bo"


def test_without_waiting_only_the_id_is_printed(signoff: Signoff) -> None:
    said = signoff("run", "greet", "-i", "name=Ana")

    assert said.code == 0
    assert said.out.startswith("run_")
    assert said.out.count("\n") == 1


def test_the_same_idempotency_key_names_the_same_run(signoff: Signoff) -> None:
    words = ("run", "greet", "-i", "name=Ana", "--idempotency-key", "morning")

    assert signoff(*words).out == signoff(*words).out


def test_the_journal_is_printed_and_can_be_replayed(signoff: Signoff) -> None:
    run = signoff("run", "greet", "-i", "name=Ana", "--wait", "--json").json["id"]

    changes = signoff("runs", "changes", run)
    journal = signoff("runs", "journal", run)
    replayed = signoff("runs", "replay", run)

    assert [line.split()[4] for line in journal.out.splitlines()][-1] == "run.completed"
    assert "created → running" in changes.out
    assert replayed.code == 0
    assert signoff("runs", "replay", run, "--json").json == {"equal": True, "differences": []}


def test_the_journal_for_programs_is_one_entry_a_line(signoff: Signoff) -> None:
    run = signoff("run", "greet", "-i", "name=Ana", "--wait", "--json").json["id"]

    entries = [
        json.loads(line) for line in signoff("runs", "journal", run, "--json").out.splitlines()
    ]

    assert [entry["position"] for entry in entries] == list(range(len(entries)))


def test_runs_are_listed_page_by_page(signoff: Signoff) -> None:
    for name in ("Ana", "Bo"):
        signoff("run", "greet", "-i", f"name={name}", "--wait")

    first = signoff("runs", "list", "--limit", "1", "--json").json
    second = signoff("runs", "list", "--limit", "1", "--after", first["next"], "--json").json

    assert first["runs"][0]["id"] != second["runs"][0]["id"]
    assert first["runs"][0]["id"] in signoff("runs", "list").out


def test_a_waiting_run_is_cancelled_once(signoff: Signoff) -> None:
    run = signoff("run", "pay", "-i", "order=c1").out.strip()

    done = signoff("runs", "cancel", run, "--reason", "ordered twice")
    again = signoff("runs", "cancel", run, "--reason", "ordered twice")

    assert (done.code, done.out) == (0, f"{run}: cancelled.\n")
    assert again.code == 3
    assert "[run_ended]" in again.err


def test_only_what_is_stuck_is_retried_or_skipped(signoff: Signoff) -> None:
    run = signoff("run", "greet", "-i", "name=Ana", "--wait", "--json").json["id"]

    assert signoff("runs", "retry", run, "--reason", "again").code == 3
    assert signoff("runs", "skip", run, "--reason", "again").code == 3


def stuck(signoff: Signoff) -> str:
    """A run that cannot undo what it did; its compensation was tried for a quarter of a minute."""
    run = signoff("run", "spill").out.strip()

    def waiting_for() -> str:
        waiting = signoff("runs", "show", run, "--json").json["waiting_for"]
        return "" if waiting is None else str(waiting["reason"])

    until(lambda: waiting_for() == "approval")
    approval = signoff("runs", "show", run, "--json").json["waiting_for"]["approval"]
    signoff("approvals", "cancel", approval, "--reason", "it is wet")
    until(lambda: waiting_for() == "stuck", every=0.5)  # each look is a whole command
    return run


def end_of(signoff: Signoff, run: str) -> str:
    until(lambda: signoff("runs", "show", run, "--json").json["ended_at"])
    return signoff("runs", "show", run).out


@pytest.mark.slow
def test_a_stuck_run_goes_on_once_its_cause_is_mended(signoff: Signoff, server: Server) -> None:
    run = stuck(signoff)
    (server.shop.folder / "mop").touch()

    said = signoff("runs", "retry", run, "--reason", "there is a mop now")

    assert (said.code, said.out) == (0, f"{run}: goes on.\n")
    assert "↶ undone" in end_of(signoff, run)


@pytest.mark.slow
def test_what_cannot_be_undone_is_skipped_with_a_reason(signoff: Signoff) -> None:
    run = stuck(signoff)

    said = signoff("runs", "skip", run, "--reason", "it dries by itself", "--json")

    assert said.code == 0
    assert said.json["skipped"] == "pour"
    assert "– skipped" in end_of(signoff, run)
