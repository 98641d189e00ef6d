"""`docs/coverage.md` names every line once, and only tests that are there."""

import re
from functools import cache

import pytest

from tests.architecture.sources import ROOT, functions, modules, name

PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (?P<line>[SB]\d?\.\d+) \| (?P<what>[^|]+) \| (?P<proof>.+) \|$", re.MULTILINE
)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LINES = {"S1": 143, "S2": 75, "S3": 73, "S4": 34, "S5": 33, "B": 11}
ROWS = [found.groups() for found in ROW.finditer(PAGE)]


@cache
def existing() -> set[tuple[str, str]]:
    return {
        (name(path), function.name)
        for path in modules("tests")
        for function in functions(path)
        if function.name.startswith("test_")
    }


def test_every_line_is_there_once() -> None:
    wanted = [f"{part}.{number}" for part, count in LINES.items() for number in range(1, count + 1)]

    assert [line for line, _, _ in ROWS] == wanted


@pytest.mark.slow
@pytest.mark.together("sources")
def test_every_test_that_is_named_exists() -> None:
    missing = {named for named in TEST.findall(PAGE) if named not in existing()}

    assert missing == set()


@pytest.mark.parametrize("proof", sorted({proof for _, _, proof in ROWS}))
def test_a_line_is_proved_or_comes_later_by_name(proof: str) -> None:
    later = re.fullmatch(r"\*later:\* ([^(]+?)( \(.+\))?", proof)
    is_proved = later is None and bool(TEST.search(proof))

    assert is_proved or later or proof == "not ours"
