"""Nothing is so long that it cannot be seen at once."""

from tests.architecture.sources import ROOMS, functions, lines, modules, name, templates

MODULE_MAX = 300
TEST_MODULE_MAX = 400
TEMPLATE_MAX = 80
FUNCTION_MAX = 50
NAMELESS = {
    "common",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "manager",
    "misc",
    "util",
    "utils",
}


# A migration is written once, from the tables, and never edited: its size is the schema's.
HISTORY = "engine/store/migrations/versions/"


def test_no_module_is_longer_than_300_lines() -> None:
    found = [path for path in modules() if not name(path).startswith(HISTORY)]

    assert {name(path): lines(path) for path in found if lines(path) > MODULE_MAX} == {}


def test_no_test_module_is_longer_than_400_lines() -> None:
    found = modules("tests", "examples", "benchmarks")

    assert {name(path): lines(path) for path in found if lines(path) > TEST_MODULE_MAX} == {}


def test_no_template_is_longer_than_80_lines() -> None:
    assert {name(path): lines(path) for path in templates() if lines(path) > TEMPLATE_MAX} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{name(path)}:{function.name}": length
        for path in modules(*ROOMS, "tests", "examples")
        if not name(path).startswith(HISTORY)
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_MAX
    }

    assert long == {}


def test_no_file_is_named_for_nothing() -> None:
    assert [name(path) for path in modules() if set(path.stem.split("_")) & NAMELESS] == []
