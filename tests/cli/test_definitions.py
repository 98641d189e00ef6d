"""`signoff definitions` and `signoff run file.yaml`: what is wrong with its line first, then what runs."""

from collections.abc import Callable

import pytest

from tests.cli.conftest import Signoff
from tests.cli.ground import Server

Write = Callable[[str, str], str]
SOURCE = """\
name: tidy
inputs: {days: {type: integer, default: 90}}
steps:
  - {name: mark, type: checkpoint}
  - {name: hello, type: task, task: "shop:greeting", args: ["${inputs.days}", 1]}
result: ${steps.hello}
"""


@pytest.fixture
def write(server: Server) -> Write:
    def written(name: str, source: str) -> str:
        (server.shop.folder / name).write_text(source, encoding="utf-8")
        return name

    return written


@pytest.mark.slow
@pytest.mark.parametrize("verb", [["run"], ["definitions", "add"], ["definitions", "check"]])
def test_a_mistake_is_told_with_its_file_and_line(
    signoff: Signoff, write: Write, verb: list[str]
) -> None:
    file = write("wrong.yaml", SOURCE.replace("checkpoint", "check"))

    said = signoff(*verb, file)

    assert (said.code, said.out) == (2, "")
    assert "wrong.yaml: line 4, column 24: 'check' is no type of step." in said.err


@pytest.mark.slow
def test_a_file_that_is_not_there_is_refused(signoff: Signoff) -> None:
    said = signoff("run", "nowhere.yaml")

    assert said.code == 2
    assert "nowhere.yaml cannot be read" in said.err


@pytest.mark.slow
def test_a_file_is_added_and_run(signoff: Signoff, write: Write) -> None:
    said = signoff("run", write("tidy.yaml", SOURCE), "-i", "days=30", "--wait", "--json")

    assert said.code == 0, said.err
    assert (said.json["result"], said.json["workflow"]) == ("hello 30", "tidy")
    assert "tidy" in signoff("definitions", "list").out
    assert signoff("definitions", "show", "tidy").out == SOURCE


@pytest.mark.slow
def test_adding_it_again_says_so(signoff: Signoff, write: Write) -> None:
    file = write("again.yml", SOURCE.replace("tidy", "again"))

    first, second = signoff("definitions", "add", file), signoff("definitions", "add", file)

    assert first.out.endswith(": added.\n")
    assert second.out.endswith(": as before.\n")


def test_the_schema_is_printed_without_a_server(signoff: Signoff) -> None:
    assert signoff("definitions", "schema").json["title"] == "A workflow of Signoff"


@pytest.mark.slow
def test_what_is_not_needed_any_more_is_removed(signoff: Signoff, write: Write) -> None:
    signoff("definitions", "add", write("gone.yaml", SOURCE.replace("tidy", "gone")))

    unsaid = signoff("definitions", "remove", "gone")
    said = signoff("definitions", "remove", "gone", "--reason", "Nobody starts it.")

    assert (unsaid.code, "--reason" in unsaid.err) == (2, True)
    assert (said.code, said.out) == (0, "gone: removed.\n")
    assert signoff("definitions", "show", "gone").code == 1
