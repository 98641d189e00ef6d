"""Workflows are registered under good names only, and their input is checked by their signature."""

import re
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from signoff.registry import Workflow, load, registered
from tests.sdk import samples

HEAD = "from signoff import Run, workflow\n"
REFUSED = [
    pytest.param("@workflow\ndef w(run: Run): ...", "is not async", id="not async"),
    pytest.param("workflow(lambda run: None)", "it has no name", id="a lambda"),
    pytest.param(
        "def f():\n @workflow\n async def w(run: Run): ...\nf()", "inside another", id="nested"
    ),
    pytest.param("@workflow\nasync def w(): ...", "takes no run", id="no run"),
    pytest.param("@workflow\nasync def w(*, run: Run): ...", "takes no run", id="run by keyword"),
    pytest.param("@workflow\nasync def w(run: Run, x): ...", "say the type of x", id="no type"),
    pytest.param("@workflow\nasync def w(run: Run, *x: int): ...", "write out", id="open end"),
    pytest.param(
        "@workflow\nasync def w(run: Run, **x: int): ...", "write out", id="open keywords"
    ),
    pytest.param(
        "@workflow\nasync def w(run: Run, x: 'Later'): ...", "defined above it", id="unknown type"
    ),
    pytest.param(
        "@workflow\nasync def w(run: Run, x: Run): ...", "cannot be checked", id="no JSON type"
    ),
    pytest.param(
        "@workflow(name='Re fund')\nasync def w(run: Run): ...", "not a workflow's name", id="name"
    ),
    pytest.param("@workflow\nasync def _w(run: Run): ...", "not a workflow's name", id="_name"),
    pytest.param(
        "@workflow(version='')\nasync def w(run: Run): ...", "workflow's version", id="version"
    ),
    pytest.param(
        "@workflow(name='a')\nasync def w(run: Run): ...\n"
        "@workflow(name='a')\nasync def v(run: Run): ...",
        "Two workflows are called a",
        id="the same name twice",
    ),
    pytest.param(
        "@workflow(name='sample.refund')\nasync def w(run: Run): ...",
        "Two workflows are called sample.refund: tests.sdk.samples:refund",
        id="a name from another module",
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("code", "why"), REFUSED)
def test_refused(code: str, why: str, folder: Path, request: pytest.FixtureRequest) -> None:
    module = "refused_" + "".join(filter(str.isalnum, request.node.name))
    (folder / f"{module}.py").write_text(HEAD + code)

    with pytest.raises(ValueError, match=why):
        load([module])


def test_a_workflow_of_the_started_script_is_refused() -> None:
    script = f"{HEAD}@workflow\nasync def w(run: Run): ..."

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert "(__main__)" in said.stderr


def test_a_module_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(ImportError, match="There is no module no_such_flows"):
        load(["no_such_flows"])
    with pytest.raises(ImportError, match=r"no module no_such\.flows: no_such was not found"):
        load(["no_such.flows"])


def test_a_module_that_itself_misses_something_says_what(folder: Path) -> None:
    (folder / "misses_something.py").write_text("import no_such_library")

    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_library'"):
        load(["misses_something"])


def test_a_module_without_workflows_is_refused() -> None:
    with pytest.raises(ImportError, match="json holds no workflow"):
        load(["json"])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param({}, "order: Field required.", id="missing"),
        pytest.param({"order": 17}, "order: Input should be a valid string.", id="wrong type"),
        pytest.param(
            {"order": "17", "orders": 1}, "orders: sample.refund has no such input.", id="unknown"
        ),
        pytest.param({"order": "17", "input_0": "18"}, "input_0: ", id="our own field name"),
        pytest.param({"order": "17", "run": "x"}, "run: ", id="the run is not input"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given: Mapping[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        sample().parse(given)


def test_every_wrong_field_has_its_own_line() -> None:
    with pytest.raises(ValueError, match="amount") as refused:
        sample().parse({"amount": "much", "copy": "x", "colour": "red"})

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "order",
        "amount",
        "copy",
        "colour",
    ]


def test_input_is_converted_and_defaults_are_filled_in() -> None:
    assert sample().parse({"order": "17", "amount": "620.00", "_note": "soon"}) == {
        "order": "17",
        "amount": Decimal("620.00"),
        "copy": 1,
        "_note": "soon",
    }


def test_a_workflow_is_found_through_its_module_its_package_and_its_name(folder: Path) -> None:
    (folder / "reexports.py").write_text("from tests.sdk.samples import refund")

    assert set(load(["tests.sdk.samples"])) == {"inferred", "sample.refund"}
    assert set(load(["reexports"])) == {"sample.refund"}
    assert "sample.refund" in load(["tests.sdk"])
    assert registered()["sample.refund"] is sample()


def test_registering_leaves_the_function_as_it_was() -> None:
    assert sample().fn is samples.refund
    assert sample().version == "2"


def sample() -> Workflow:
    return load(["tests.sdk.samples"])["sample.refund"]
