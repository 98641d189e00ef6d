"""Every table, key and value of a TOML text is found on its line."""

import pytest

from bot.config.lines import Lines

TEXT = """\
# [people.nobody]
[people.ana]
name = "Ana"   # name = 1

[people."bo.x"]
note = '''
[people.chen]
name = "not a statement"
'''
list = [
  "one", # [groups]
  "two",
  [ "three" ],
]
manager.name = "x"
  [ groups . 'finance' ]
members = ["ana",
  "zed"]
[[policies]]
name = "[roles]"
[roles]
operator = ["ana"]"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param("people", 2, id="a table that is only implied"),
        pytest.param("people ana", 2, id="a table"),
        pytest.param("people ana name", 3, id="a key"),
        pytest.param("people ana email", 2, id="a missing key is where its table is"),
        pytest.param("people nobody", 2, id="a comment is nothing"),
        pytest.param("people chen", 2, id="nor is a line inside of a text"),
        pytest.param("people bo.x", 5, id="a quoted name"),
        pytest.param("people bo.x list", 10, id="after a text of many lines"),
        pytest.param("people bo.x manager name", 15, id="a dotted key"),
        pytest.param("groups finance", 16, id="a header with spaces and quotes"),
        pytest.param("policies", 19, id="an array of tables"),
        pytest.param("roles", 21, id="a header, not a text that looks like one"),
        pytest.param("nothing at all", 1, id="what is nowhere is in the first line"),
    ],
)
def test_a_path_is_on_its_line(path: str, line: int) -> None:
    assert Lines(TEXT).of(path.split(" ")) == line


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("people bo.x list", "two", 12),
        ("people bo.x list", "three", 13),
        ("people bo.x list", "four", 10),
        ("groups finance members", "zed", 18),
        ("roles operator", "ana", 22),
    ],
)
def test_a_value_is_on_its_own_line(path: str, value: str, line: int) -> None:
    assert Lines(TEXT).of(path.split(" "), value) == line


def test_a_long_text_takes_no_long_time() -> None:
    hostile = "a = '''" + '"' * 200_000 + "'''\n" + 'b = "' + "\\\\" * 100_000 + '"\n[c]\n'

    assert Lines(hostile).of(["c"]) == 3
