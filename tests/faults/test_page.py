"""The page for operators names every cause and every code that a database can give."""

import re

from engine.store import postgres_errors, sqlite_errors
from engine.store.causes import UNKNOWN, Cause
from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs" / "how-to" / "when-the-database-misbehaves.md").read_text(encoding="utf-8")
SAID = re.compile(r"\*\*(.+?)\*\*")


def causes() -> set[Cause]:
    """Everything that either database can be refused for."""
    modules = (postgres_errors, sqlite_errors)
    listed = {each for module in modules for each in module.CAUSES.values()}
    return listed | {postgres_errors.AWAY_CAUSE, UNKNOWN}


def test_every_cause_is_on_the_page_with_its_code() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]

    missing = {
        (cause.what, cause.code)
        for cause in causes()
        if not any(f"**{cause.what}**" in row and f"`{cause.code}`" in row for row in rows)
    }

    assert missing == set()


def test_the_page_promises_no_sentence_that_nobody_says() -> None:
    said = {cause.what for cause in causes()} | {"Not confirmed"}

    assert set(SAID.findall(PAGE)) <= said
