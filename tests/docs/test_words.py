"""The pages use the glossary's words, and its words are on its page."""

from pathlib import Path

import pytest

from tests.architecture.test_words import INSTEAD, words
from tests.docs.pages import name, pages

# Says what other systems call things.
QUOTING = "docs/coverage.md"
PAGES = [page for page in pages() if name(page) != QUOTING]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_says_our_words(page: Path) -> None:
    assert words(page.read_text(encoding="utf-8")) & INSTEAD.keys() == set()


def test_the_glossary_has_the_words_that_are_used_instead() -> None:
    page = next(found for found in PAGES if name(found) == "docs/glossary.md")
    said = words(page.read_text(encoding="utf-8"))

    assert set(INSTEAD.values()) <= said
