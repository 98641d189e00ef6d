"""What a page leads to is there: files, headings, and commands."""

import re
from functools import cache, partial
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from bot.cli.verbs import app
from tests.architecture.sources import ROOT
from tests.docs.pages import name, pages

LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)\s]+)\)")
IMAGE_BYTES_MAX = 200_000
COMMAND = re.compile(r"`signoff ((?:[a-z][a-z-]* ?)+)")


@cache
def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken: list[str] = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        is_there = target.exists() and target.is_relative_to(ROOT)
        if not is_there or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_picture_is_small_and_shown() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*"))
    shown = "".join(page.read_text(encoding="utf-8") for page in pages())

    assert [path.name for path in pictures if path.stat().st_size > IMAGE_BYTES_MAX] == []
    assert [path.name for path in pictures if path.name not in shown] == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_command_exists(page: Path) -> None:
    unknown = [
        said
        for said in COMMAND.findall(page.read_text(encoding="utf-8"))
        if not exists(said.split())
    ]

    assert unknown == []


command_line = cache(partial(typer.main.get_command, app))


def exists(words: list[str]) -> bool:
    command = command_line()
    for word in words:
        if not isinstance(command, TyperGroup):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True
