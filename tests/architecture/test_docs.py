"""The pages that are made from the code equal it, and nothing that people meet is left out of them."""

import re
from collections.abc import Callable

import pytest

from bot.docs_pages import pages
from bot.reference.errors import FAMILIES, codes
from bot.reference.sources import logged, words
from bot.settings import Settings, variable
from bot.web import problems
from engine import errors
from engine.errors import EngineError
from tests.architecture.sources import ROOT, read

AGAIN = "Write the pages anew: .venv/bin/python -m bot.docs_pages"
MADE = pages()
FAMILY_CLASSES = [
    (family, getattr(errors, family.root)) for family in FAMILIES if hasattr(errors, family.root)
]


@pytest.mark.parametrize(("name", "page"), MADE.items(), ids=MADE)
def test_a_made_page_equals_the_code(name: str, page: Callable[[], str]) -> None:
    assert read(ROOT / name) == page(), AGAIN


def test_every_code_says_what_to_do_and_no_other() -> None:
    assert words("errors").keys() == codes().keys(), "Mend bot/reference/words/errors.txt."


def test_every_code_of_the_tree_is_on_the_page() -> None:
    page = read(ROOT / "docs" / "errors.md")
    own = {error.code for error in vars(errors).values() if is_leaf(error)}

    assert {code for code in own if f"| `{code}` |" not in page} == set()


@pytest.mark.parametrize(("family", "error"), FAMILY_CLASSES)
def test_a_familys_status_is_the_one_it_is_answered_with(
    family: object, error: type[EngineError]
) -> None:
    answered = problems.of_engine(error("Because."), signed_in=True).status

    assert str(getattr(family, "status", "")).startswith(str(answered))


def test_every_event_has_a_sentence_and_no_other() -> None:
    events = {each.event for each in logged()}

    assert words("events").keys() == events, "Mend bot/reference/words/events.txt."


def test_events_are_a_noun_and_what_happened_to_it() -> None:
    assert [each for each in logged() if not re.fullmatch(r"[a-z]+\.[a-z_]+", each.event)] == []


@pytest.mark.parametrize("kept", ["errors", "events"])
def test_what_is_said_is_sentences_in_order(kept: str) -> None:
    said = words(kept)

    assert list(said) == sorted(said)
    assert [what for what, sentence in said.items() if not sentence.endswith(".")] == []


def test_every_setting_is_on_its_page() -> None:
    page = read(ROOT / "docs" / "reference" / "settings.md")

    assert [name for name in Settings.model_fields if f"`{variable(name)}`" not in page] == []


def test_every_decision_has_a_number_of_its_own_and_its_title_says_it() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name.partition("-")[0]) for page in pages]
    titled = [int(read(page).removeprefix("# ").partition(".")[0]) for page in pages]

    assert numbers == sorted(set(numbers))
    assert titled == numbers


def is_leaf(error: object) -> bool:
    return isinstance(error, type) and issubclass(error, EngineError) and error is not EngineError
