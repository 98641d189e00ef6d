"""Every page in every state: nothing from outside is live, and everybody can use it."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from bot.web.rendering import environment
from tests.web import samples, shown
from tests.web.html import Element, Page, read

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PAGES = environment(TEMPLATES)
WHOLE = [page for page, (template, _) in samples.PAGES.items() if "/partials/" not in template]
NAMED = {"button", "a", "summary", "label", "legend", "h1", "h2", "h3"}


@cache
def html(page: str) -> str:
    template, _ = samples.PAGES[page]
    return PAGES.get_template(template).render(samples.context(page))


@cache
def parsed(page: str) -> Page:
    return read(html(page))


every_page = pytest.mark.parametrize("page", samples.PAGES)
every_whole_page = pytest.mark.parametrize("page", WHOLE)


def inputs(page: Page) -> list[Element]:
    return [
        element
        for element in page.all("input", "select", "textarea")
        if not element.has("type", "hidden")
    ]


def test_every_template_is_looked_at() -> None:
    shown = {template for template, _ in samples.PAGES.values()}
    pages = {path.relative_to(TEMPLATES).as_posix() for path in (TEMPLATES / "web").glob("*.html")}

    assert pages - shown == {"web/base.html"}


@every_page
def test_nothing_from_outside_becomes_an_element(page: str) -> None:
    allowed = {"script": "src", "style": "never"}

    assert [found.tag for found in parsed(page).elements if found.tag == "b"] == []
    assert [
        found.tag
        for found in parsed(page).elements
        if found.tag in allowed and not found.has(allowed[found.tag])
    ] == []


@every_page
def test_nothing_runs_that_is_not_a_file_of_ours(page: str) -> None:
    attributes = [name for found in parsed(page).elements for name in found.attributes]
    addresses = [
        value
        for found in parsed(page).elements
        for name, value in found.attributes.items()
        if name in {"href", "src", "action", "formaction", "hx-get", "hx-post"}
    ]

    assert [name for name in attributes if name.startswith(("on", "hx-on", "style"))] == []
    assert [address for address in addresses if not re.match(r"/(?!/)|#", address)] == []


@every_page
def test_no_character_hides(page: str) -> None:
    assert "\u202e" not in html(page)


@pytest.mark.parametrize("page", [name for name in samples.PAGES if name.endswith("hostile")])
def test_a_hostile_payload_is_shown_in_full(page: str) -> None:
    shown = html(page)

    assert "⟨U+202E⟩gnp.exe" in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert shown.count("line of a log &lt;b&gt;") == 600 * 2


@every_page
def test_tags_are_balanced_and_ids_are_single(page: str) -> None:
    ids = Counter(found.attributes["id"] for found in parsed(page).elements if found.has("id"))

    assert parsed(page).unbalanced == []
    assert [name for name, count in ids.items() if count > 1] == []


@every_page
def test_every_input_has_a_label(page: str) -> None:
    labels = {label.attributes.get("for") for label in parsed(page).all("label")}
    unlabelled = [
        found.attributes
        for found in inputs(parsed(page))
        if found.attributes.get("id") not in labels
        and not any(outer.tag == "label" for outer in found.inside)
    ]

    assert unlabelled == []


@every_page
def test_what_explains_an_input_is_there(page: str) -> None:
    there = {found.attributes["id"] for found in parsed(page).elements if found.has("id")}
    named = {
        name
        for found in parsed(page).elements
        for name in found.attributes.get("aria-describedby", "").split()
    }

    assert named - there == set()


@every_page
def test_everything_that_is_pressed_or_read_out_has_words(page: str) -> None:
    assert [found for found in parsed(page).elements if found.tag in NAMED and not found.text] == []
    assert [found for found in parsed(page).all("img") if not found.has("alt")] == []
    assert [
        found
        for found in parsed(page).all("svg")
        if found.has("role") and not found.has("aria-label")
    ] == []


@every_page
def test_every_form_that_changes_something_is_guarded(page: str) -> None:
    posting = [form for form in parsed(page).all("form") if form.has("method", "post")]
    guards = [
        {found.attributes.get("name") for found in parsed(page).within(form)} & {"csrf", "nonce"}
        for form in posting
    ]

    assert all(guards)


@every_whole_page
def test_a_page_has_one_headline_a_language_and_a_title(page: str) -> None:
    (root,) = parsed(page).all("html")

    assert root.has("lang", "en")
    assert len(parsed(page).all("h1")) == 1
    assert len(parsed(page).all("main")) == 1
    assert parsed(page).all("title")[0].text.strip()


def test_looking_at_an_email_link_decides_nothing() -> None:
    forms = parsed("respond").all("form")
    fetched = [found for found in parsed("respond").elements if found.has("hx-get")]

    assert [form.attributes["method"] for form in forms] == ["post"]
    assert fetched == []


@pytest.mark.parametrize(
    ("asks", "rehearses"),
    [("approval-open", "approval-in-a-sandbox"), ("respond", "respond-in-a-sandbox")],
)
def test_who_is_asked_by_a_sandbox_is_told_that_nothing_is_done(asks: str, rehearses: str) -> None:
    said = [
        ("What will happen" in text, "nothing of it is done" in text)
        for text in (html(asks), html(rehearses))
    ]

    assert said == [(True, False), (False, True)]


def test_what_was_rehearsed_is_not_told_as_undone() -> None:
    done, rehearsed = html("run-rolled-back"), html("run-rolled-back-in-a-sandbox")

    assert ("Undone" in done, "Undone" in rehearsed) == (True, False)
    assert ("Rehearsed" in done, "Rehearsed" in rehearsed) == (False, True)
    assert "Rejecting would undo" in html("approval-in-a-sandbox")


def test_a_link_preselects_its_choice() -> None:
    chosen = [found for found in parsed("respond-reject").all("input") if found.has("checked")]

    assert [found.attributes["value"] for found in chosen] == ["reject"]


@pytest.mark.parametrize(
    "page",
    [f"approval-{state}" for state in ("not-mine", "approved", "rejected", "expired", "cancelled")],
)
def test_who_may_not_vote_or_comes_late_sees_no_button(page: str) -> None:
    assert [found for found in parsed(page).all("button") if found.has("name", "choice")] == []


def test_who_may_not_vote_is_told_why() -> None:
    assert "You asked for this, so your answer does not count." in html("approval-not-mine")


def test_what_time_alone_decided_is_told_as_nobodys_answer() -> None:
    assert "It went on with" in html("approval-went-on")
    assert "by the approvers" not in html("approval-went-on")
    assert "Filled in by the approvers" in html("approval-filled-in")


def test_an_edit_is_announced_to_who_looks_at_the_old_version() -> None:
    assert "was edited after you opened it" in html("approval-edited")
    assert "was edited after you opened it" not in html("approval-open")


def test_what_is_decided_asks_for_no_news() -> None:
    asking = [found for found in parsed("approval-approved").elements if found.has("hx-trigger")]

    assert asking == []


def test_high_risk_cannot_be_answered_in_bulk() -> None:
    picked = [
        found.attributes["value"]
        for found in parsed("inbox").all("input")
        if found.has("name", "item")
    ]

    assert [value.split()[0] for value in picked] == ["apr_2", "apr_3", "apr_4"]


def test_a_vote_carries_the_digest_that_was_shown() -> None:
    sent = {
        found.attributes.get("name"): found.attributes.get("value")
        for found in parsed("approval-open").all("input")
    }

    assert sent["digest"] == shown.DIGEST
