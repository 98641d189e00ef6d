"""A call as people read it on every surface: `pay_back("charge-17", "620.00 EUR")`."""

import json
from collections.abc import Mapping
from typing import Any


def call_text(call: Mapping[str, Any]) -> str:
    """The function by its own name with its arguments as JSON: a text is quoted, so that it is one argument.

    Nothing is left out or shortened. Its module is `call_home`.
    """
    given: Mapping[str, Any] = call["arguments"]
    words = [_text(value) for value in given["args"]]
    words += [f"{name}={_text(value)}" for name, value in given["kwargs"].items()]
    return f"{_parts(call)[1]}({', '.join(words)})"


def call_home(call: Mapping[str, Any]) -> str:
    """The module in which the function lives."""
    return _parts(call)[0]


def _parts(call: Mapping[str, Any]) -> tuple[str, str]:
    home, _, name = str(call["name"]).rpartition(":")
    return home, name


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
