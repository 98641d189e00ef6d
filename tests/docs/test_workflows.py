"""The workflows on the pages run as printed, on a real engine, whatever people decide."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import ROOT
from tests.docs.pages import Block, blocks

pytestmark = pytest.mark.slow

DRIVEN = [block for block in blocks() if block.note("drive") is not None]
PEOPLE = """\
[people.ana]
name = "Ana Diaz"
[people.bo]
name = "Bo Larsen"
[people.dana]
name = "Dana Okafor"

[groups.finance]
members = ["ana", "bo"]
[groups.security]
members = ["dana"]
[groups.leads]
members = ["dana"]

[roles]
operator = ["ana"]
"""


@pytest.fixture(scope="module")
def all_driven(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], str]:
    """The folders in which the workflows of the pages were driven, by place, and what went wrong."""
    folders = {block.place: tmp_path_factory.mktemp("page") for block in DRIVEN}
    orders = [given(block, folders[block.place]) for block in DRIVEN]
    said = subprocess.run(
        [sys.executable, "-m", "tests.docs.driven"], input="\n".join(orders), text=True,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    return folders, said.stderr


def given(block: Block, folder: Path) -> str:
    """What it takes to drive the workflow of `block` in `folder`, written there; and the order to do so."""
    (folder / "signoff.toml").write_text(PEOPLE, encoding="utf-8")
    file = block.note("file") or "workflow.py"
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(block.text, encoding="utf-8")
    workflow, _, given = (block.note("drive") or "").partition(" ")
    module = file.removesuffix(".py").replace("/", ".")
    return json.dumps([str(folder), module, workflow, json.loads(given)])


@pytest.fixture(scope="module", params=DRIVEN, ids=lambda block: block.place)
def ended(request: pytest.FixtureRequest, all_driven: tuple[dict[str, Path], str]) -> list[Any]:
    """How the workflow of a page ends when everybody rejects, and when everybody approves."""
    folders, said = all_driven
    told = folders[request.param.place] / "ended.json"
    assert told.exists(), said
    runs: list[Any] = json.loads(told.read_text(encoding="utf-8"))
    return runs


def test_there_are_workflows_on_the_pages() -> None:
    assert "README.md" in {block.page for block in DRIVEN}


def test_the_first_workflow_takes_fewer_than_twenty_lines() -> None:
    first = next(block for block in DRIVEN if block.page == "README.md")

    assert len(first.text.splitlines()) < 20


def test_with_a_no_nothing_stays_done(ended: list[Any]) -> None:
    run, _ = ended

    begun = {step["name"] for step in run["steps"] if step["kind"] in {"step", "child"}}
    undone = {step["name"] for step in run["steps"] if step["kind"] == "compensation"}
    assert run["status"] == "rolled_back" or not begun
    assert not run["undoes"]
    assert undone <= begun


def test_with_consent_it_completes(ended: list[Any]) -> None:
    _, run = ended

    assert (run["status"], run["error"]) == ("completed", None)
    assert run["result"]
