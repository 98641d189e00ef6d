"""The tree of errors is drawn as it is, and every error has a code and a sentence of its own."""

import re

from engine import errors
from engine.errors import EngineError

BRANCH = re.compile(r"^(?P<indent>(?:│   |    )*)(?:├── |└── )(?P<name>\w+)")


def drawn() -> dict[str, str]:
    """Each error in the drawing, and the one under which it hangs."""
    rows = (errors.__doc__ or "").splitlines()
    parents: dict[str, str] = {}
    path = [EngineError.__name__]
    for found in filter(None, map(BRANCH.match, rows)):
        depth = len(found["indent"]) // 4 + 1
        path = [*path[:depth], found["name"]]
        parents[found["name"]] = path[depth - 1]
    return parents


def defined() -> dict[str, type[EngineError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, EngineError)
        if value.__module__ == errors.__name__ and value is not EngineError
    }


def test_the_drawing_equals_the_classes() -> None:
    assert drawn() == {name: error.__bases__[0].__name__ for name, error in defined().items()}


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [vars(error).get("code") for error in (EngineError, *defined().values())]

    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", str(code))] == []
    assert len(set(codes)) == len(codes)


def test_every_error_says_in_a_sentence_what_happened() -> None:
    captions = {name: (error.__doc__ or "").split("\n")[0] for name, error in defined().items()}

    assert [name for name, caption in captions.items() if not caption.endswith(".")] == []
