"""A value is said in the same words on every surface."""

import pytest

from bot.cli import drawing
from bot.web import filters
from channels.saying import text_of


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "yes"), (False, "no"), (None, "—"), ("true", "true"), (17, "17"), (1.5, "1.5")],
)
def test_the_web_the_terminal_and_messages_say_the_same(value: object, words: str) -> None:
    (fact,) = filters.facts({"it": value})

    assert {text_of(value), fact.text, drawing.value(value)} == {words}


def test_lists_and_tables_stay_json() -> None:
    value = {"paid": True, "to": ["ana", None]}

    assert text_of(value) == drawing.value(value) == '{"paid": true, "to": ["ana", null]}'
