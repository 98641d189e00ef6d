"""Every verb of `signoff bench`, in amounts that take a moment, on both databases."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import ROOT
from tests.fixtures import Postgres
from tests.nursery import Forked

ALL = {
    "gated-runs": ("--runs", "12", "--concurrency", "4"),
    "latency": ("--probes", "3"),
    "growth": ("--steps", "20", "--probes", "2"),
    "budgets": ("--runs", "10", "--concurrency", "2"),
    "waiting": ("--waiting", "200", "--probes", "4", "--pages", "1"),
    "restart": ("--waiting", "50"),
    "expiries": ("--waiting", "20", "--lead", "8"),
    "verify": ("--waiting", "50"),
    "switch": ("--busy", "2", "--workers", "2", "--rounds", "1"),
    "storm": ("--voters", "12", "--quorum", "5"),
    "channels": ("--probes", "2", "--rate", "5", "--seconds", "1"),
}


@pytest.fixture
def empty(postgres: Postgres) -> Generator[str]:
    """A database that holds nothing, not even tables."""
    name = postgres.server.make()
    yield postgres.server.url(name)
    postgres.server.ask(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.slow
def test_what_somebody_would_miss_is_not_measured_in(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.db"
    with sqlite3.connect(theirs) as connection:
        connection.execute("CREATE TABLE runs (id TEXT)")

    refused = asked("latency", "--database", str(theirs))

    assert refused.returncode == 3
    assert "not_for_measuring" in refused.stderr
    with sqlite3.connect(theirs) as connection:
        found = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert found == [("runs",)]


@pytest.mark.slow
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ana,")

    refused = asked("latency", "--database", str(letter))

    assert refused.returncode == 3
    assert letter.read_text() == "Dear Ana,"


@pytest.mark.slow
def test_several_processes_need_a_database_that_is_shared() -> None:
    refused = asked("gated-runs", "--workers", "2")

    assert refused.returncode == 2


@pytest.mark.slow
def test_its_own_database_may_be_measured_in_again(tmp_path: Path) -> None:
    again = ("--database", str(tmp_path / "bench.db"))

    first = measured("latency", *ALL["latency"], *again)
    second = measured("latency", *ALL["latency"], *again)

    assert first["probes"] == second["probes"] == 3
    assert 0 < second["p50_ms"] <= second["p99_ms"]


@pytest.mark.slow
@pytest.mark.parametrize("verb", ALL)
def test_each_measurement_says_what_can_be_true_on_sqlite(verb: str) -> None:
    found = measured(verb, *ALL[verb])

    assert found["database"] == "sqlite"
    sane(verb, found)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("verb", ["restart", "storm", "switch"])
def test_each_measurement_says_what_can_be_true_on_postgresql(verb: str, empty: str) -> None:
    found = measured(verb, *ALL[verb], "--database", empty)

    assert found["database"] == "postgresql"
    sane(verb, found)


@pytest.mark.slow
@pytest.mark.postgres
def test_two_processes_share_the_gated_runs(empty: str) -> None:
    found = measured("gated-runs", *ALL["gated-runs"], "--workers", "2", "--database", empty)

    assert found["workers"] == 2
    sane("gated-runs", found)


def measured(*words: str) -> Any:
    """The JSON that `signoff bench` prints."""
    ended = asked(*words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def asked(*words: str) -> "subprocess.CompletedProcess[str]":
    """`signoff bench`, in a process of its own: it listens to the log of all of it."""
    process = Forked(["bench", *words], cwd=ROOT, env={"PATH": os.defpath})
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.wait(), out, err)


def sane(verb: str, found: Any) -> None:
    """What must be true of the figures, however slow the machine is."""
    match verb:
        case "gated-runs":
            assert (found["runs"], found["runs_s"] > 0, found["cpu_ms_run"] > 0) == (12, True, True)
        case "growth":
            assert found["steps_10"]["probes"] == found["steps_20"]["probes"] == 2
        case "budgets" | "switch":
            of_guards(verb, found)
        case "waiting":
            assert found["many"]["decision"]["probes"] == 4
            assert found["disk_kb_run"] > 0
        case "restart":
            assert 0 < found["answers_s"] <= found["first_decision_s"]
            assert found["run_ended"] == "completed"
        case "expiries":
            assert (found["decided"], found["decided_twice"]) == (20, 0)
            assert found["outboxed"] == found["runs_ended"] == 20
        case "verify":
            assert (found["runs"], found["damaged"]) == (50, 0)
            assert found["entries"] >= 50
            assert found["entries_per_s"] > 0
        case "storm":
            assert (found["decisions"], found["errors"], found["probes"]) == (1, 0, 12)
        case "channels":
            assert (found["unloaded"]["probes"], found["loaded"]["probes"]) == (2, 5)
        case _:
            assert found["probes"] > 0


def of_guards(verb: str, found: Any) -> None:
    """The same of budgets and kill switches."""
    if verb == "budgets":
        assert (found["runs"], found["steps"]) == (18, 90)
        assert min(value for value in found.values() if isinstance(value, float)) > 0
    else:
        assert (found["dispatched_after"], found["rounds"]) == (0, 1)
        assert found["all_wait_ms"] > 0
