"""A run of hundreds of steps is a page that can be read, and says where the rest is."""

from bot.web.rendering import environment
from bot.web.state import TEMPLATES
from tests.web import shown
from tests.web.html import read

PART = environment(TEMPLATES).get_template("web/partials/run_live.html")


def rows(steps: int) -> str:
    taken = [shown.step(number, f"step_{number}") for number in range(steps)]
    return PART.render(run={**shown.run(), "steps": taken}, now=shown.NOW)


def test_a_short_run_is_shown_whole() -> None:
    page = rows(40)

    assert page.count('data-label="State"') == 40
    assert "has all" not in page
    assert [part for part in read(page).all("section") if part.has("tabindex", "0")] == []


def test_of_a_long_run_the_newest_are_shown_in_boxes_that_scroll_with_the_keyboard() -> None:
    page = rows(301)

    assert page.count('data-label="State"') == 200
    assert ("step_100<" in page, "step_101<" in page) == (False, True)
    assert "The newest 200 of 301" in page
    assert len([part for part in read(page).all("section") if part.has("tabindex", "0")]) == 2
