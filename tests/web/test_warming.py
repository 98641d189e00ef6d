"""Pages are compiled before anybody asks for them, and one that cannot be hinders none."""

from datetime import timedelta

import pytest
from jinja2 import DictLoader, Environment

from bot.web.rendering import environment
from bot.web.state import TEMPLATES
from bot.web.warming import compiled, warmed
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


def known(pages: Environment) -> set[str]:
    """The names of what is compiled."""
    assert pages.cache is not None
    return {name for _loader, name in pages.cache}


async def test_a_page_that_cannot_be_compiled_hinders_no_other() -> None:
    pages = Environment(
        autoescape=True,
        loader=DictLoader({"web/a.html": "{% if %}", "web/b.html": "b", "mail/c.txt": "c"}),
    )

    await compiled(pages, ManualClock(), after=timedelta())

    assert known(pages) == {"web/b.html"}


async def test_nothing_is_compiled_while_the_server_begins() -> None:
    pages = Environment(autoescape=True, loader=DictLoader({"web/b.html": "b"}))

    async with warmed(pages, ManualClock()):
        pass

    assert known(pages) == set()


async def test_every_page_is_compiled() -> None:
    pages = environment.__wrapped__(TEMPLATES)

    await compiled(pages, ManualClock(), after=timedelta())

    assert known(pages) == {
        f"web/{path.relative_to(TEMPLATES / 'web').as_posix()}"
        for path in (TEMPLATES / "web").rglob("*.html")
    }
