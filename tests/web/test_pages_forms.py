"""Forms and budgets on pages: refused beside the input with all that was typed, filled in, agreed to, told."""

from typing import Any, Final

import pytest
from httpx import Response

from engine.store.approvals import ApprovalRow
from tests.web.html import Element, read
from tests.web.site import BO, Browser, Site

pytestmark = pytest.mark.anyio

FORM: Final[dict[str, Any]] = {
    "required": ["when", "why"],
    "properties": {
        "when": {
            "type": "string",
            "title": "When",
            "oneOf": [{"const": "t", "title": "Tonight"}, {"const": "m", "title": "Tomorrow"}],
        },
        "why": {"type": "string", "title": "Why", "maxLength": 20, "description": "For <audit>."},
        "replicas": {"type": "integer", "title": "Replicas", "minimum": 1, "maximum": 9, "default": 3},
        "checks": {"type": "array", "items": {"enum": ["smoke", "load"]}, "default": ["smoke"]},
        "on_call": {"type": "boolean", "title": "Tell who is on call"},
    },
}  # fmt: skip
TYPED: Final[dict[str, str | list[str]]] = {
    "form.when": "t",
    "form.why": "It is late",
    "form.replicas": "4",
    "form.checks": ["", "smoke", "load"],
    "form.on_call": "no",
}


async def form(site: Site, **more: Any) -> ApprovalRow:
    return await site.asked(kind="form", form=FORM, **more)


async def budget(site: Site, **more: Any) -> ApprovalRow:
    details = {"amount": "50000.00 USD", "department": "Marketing"}
    return await site.asked(kind="budget", details=details, **more)


async def answered(browser: Browser, row: ApprovalRow, **data: Any) -> Response:
    path = f"/approvals/{row.id}"
    return await browser.submit(await browser.get(path), f"{path}/votes", **data)


def named(answer: Response, name: str) -> list[Element]:
    return [each for each in read(answer.text).elements if each.has("name", name)]


def standing(answer: Response) -> dict[str, list[str]]:
    """What stands in the inputs of a form, as a browser would send it."""
    found: dict[str, list[str]] = {}
    for each in read(answer.text).elements:
        name = each.attributes.get("name", "")
        if name.startswith("form.") and (each.tag == "textarea" or _is_sent(each)):
            text = each.text if each.tag == "textarea" else each.attributes["value"]
            found.setdefault(name, []).append(text)
    return found


def _is_sent(each: Element) -> bool:
    return each.has("checked") or each.attributes.get("type") not in {"radio", "checkbox"}


@pytest.mark.parametrize(
    ("data", "field", "why"),
    [
        ({**TYPED, "form.when": ""}, "form.when", "'When' must be answered to approve."),
        ({**TYPED, "form.when": "later"}, "form.when", "'When' needs one of t, m."),
        ({**TYPED, "form.why": "x" * 21}, "form.why", "'Why' needs 1 to 20 characters."),
        ({**TYPED, "form.replicas": "many"}, "form.replicas", "needs a whole number."),
        ({**TYPED, "form.replicas": "10"}, "form.replicas", "needs at most 9."),
        ({**TYPED, "form.checks": ["", "all"]}, "form.checks", "needs one of smoke, load."),
    ],
)
async def test_a_refused_form_comes_back_with_all_that_was_typed_and_why_beside_its_input(
    site: Site, ana: Browser, data: dict[str, Any], field: str, why: str
) -> None:
    row = await form(site)

    refused = await answered(ana, row, choice="approve", comment="Half a\nthought", **data)

    assert refused.status_code == 422
    note = next(
        each for each in read(refused.text).all("small") if each.has("id", f"{field}-refusal")
    )
    described = [each for each in read(refused.text).elements if each.has("aria-describedby")]
    assert why in note.text
    assert any(f"{field}-refusal" in each.attributes["aria-describedby"] for each in described)
    assert named(refused, "comment")[0].text == "\nHalf a\nthought"
    kept = {"form.why": [data["form.why"]], "form.replicas": [data["form.replicas"]]}
    assert {name: standing(refused)[name] for name in kept} == kept
    assert not (await site.picture(row.id)).votes


async def test_what_was_chosen_survives_and_so_does_what_was_chosen_not(
    site: Site, ana: Browser
) -> None:
    row = await form(site)
    data = {**TYPED, "form.why": "", "form.checks": ["", "load"], "form.on_call": "yes"}

    refused = await answered(ana, row, choice="approve", **data)
    emptied = await answered(ana, row, choice="approve", **{**data, "form.checks": [""]})

    assert standing(refused)["form.when"] == ["t"]
    assert standing(refused)["form.checks"] == ["", "load"]
    assert standing(refused)["form.on_call"] == ["yes"]
    assert standing(emptied)["form.checks"] == [""]


@pytest.mark.parametrize(
    "data",
    [{"form.evil": "x"}, {"changes.amount": "1"}, {"form.": "x"}],
    ids=["another field", "a change", "nameless"],
)
@pytest.mark.parametrize("kind", ["form", "binary"])
async def test_what_is_not_asked_is_refused_and_not_ignored(
    site: Site, ana: Browser, data: dict[str, str], kind: str
) -> None:
    row = await form(site) if kind == "form" else await site.asked()
    typed = TYPED if kind == "form" else {}

    refused = await answered(ana, row, choice="approve", **typed, **data)

    assert refused.status_code == 422
    assert "here; possible:" in refused.text
    assert not (await site.picture(row.id)).votes


async def test_one_field_under_two_names_is_refused(site: Site, ana: Browser) -> None:
    row = await form(site)

    refused = await answered(ana, row, choice="approve", **TYPED, **{"changes.why": "x"})

    assert refused.status_code == 422
    assert not (await site.picture(row.id)).votes


@pytest.mark.parametrize("choice", ["reject", "abstain", "request_changes"])
async def test_other_answers_need_nothing_filled_in(site: Site, ana: Browser, choice: str) -> None:
    row = await form(site)
    shown = await ana.get(f"/approvals/{row.id}")

    await answered(ana, row, choice=choice, comment="No.", **{"form.why": "x" * 99})

    (button,) = [each for each in named(shown, "choice") if each.has("value", choice)]
    (vote,) = (await site.picture(row.id)).votes
    assert button.has("formnovalidate")
    assert vote.choice == choice


async def test_the_page_behind_a_mail_keeps_what_was_typed_and_takes_it(site: Site) -> None:
    row = await form(site, quorum=1)
    path = f"/respond/{await site.link(row)}"
    page = await site.stranger.get(path)

    typed = {**TYPED, "form.replicas": "0"}
    refused = await site.stranger.submit(page, path, choice="approve", comment="Now", **typed)
    done = await site.stranger.submit(refused, path, choice="approve", **TYPED)

    assert refused.status_code == 422
    assert "&#39;Replicas&#39; needs at least 1." in refused.text
    assert standing(refused)["form.why"] == ["It is late"]
    assert standing(refused)["form.checks"] == ["", "smoke", "load"]
    (marked,) = [each for each in named(refused, "choice") if each.has("checked")]
    assert marked.has("value", "approve")
    assert named(refused, "comment")[0].text == "\nNow"
    assert "Recorded. Approved" in done.text


async def test_two_people_agree_to_what_one_of_them_filled_in(site: Site, ana: Browser) -> None:
    row = await form(site)
    await answered(ana, row, choice="approve", **TYPED)
    [proposed] = (await site.picture(row.id)).modifying.outcomes

    async with site.browser(BO) as bo:
        seen = await bo.get(f"/approvals/{row.id}")
        agree = f"agree:{proposed.digest}"
        await bo.submit(seen, f"/approvals/{row.id}/votes", choice=agree, **{"form.why": ""})
        over = await bo.get(f"/approvals/{row.id}")

    assert "<dt>When</dt>" in seen.text
    assert "<ins><bdi>Tonight</bdi></ins>" in seen.text
    assert "<ins><bdi>smoke, load</bdi></ins>" in seen.text
    assert "Filled in by the approvers" in over.text
    assert "Approved by Ana Diaz and Bo Lind." in over.text
    assert over.text.count("<ins><bdi>Tonight</bdi></ins>") == 3
    told = (
        "approved on the web, with When: Tonight, Why: It is late, Replicas: 4, checks: smoke, load"
    )
    assert over.text.count(told) == 2
    assert "<del>" not in over.text


async def test_who_agrees_to_the_defaults_agrees_to_nothing_that_stands_in_the_inputs(
    site: Site, ana: Browser, bo: Browser
) -> None:
    lone = {"properties": {"replicas": {"type": "integer", "default": 3}}}
    row = await site.asked(kind="form", form=lone)
    await answered(ana, row, choice="approve", **{"form.replicas": "3"})

    await answered(bo, row, choice=f"agree:{row.digest}", **{"form.replicas": "7"})

    assert (await site.picture(row.id)).modifying.decided == {}


async def test_a_form_is_not_offered_to_be_approved_unread(site: Site, ana: Browser) -> None:
    row = await form(site)
    item = f"{row.id} {row.digest}"

    inbox = await ana.get("/approvals")
    result = await ana.submit(inbox, "/approvals/bulk", choice="approve", item=item)

    assert not named(inbox, "item")
    assert "A form with 5 fields to fill in" in inbox.text
    assert "must be answered to approve." in result.text
    assert not (await site.picture(row.id)).votes


@pytest.mark.parametrize("figure", ["50000.01", "0", "40,000", "40000 EUR"])
async def test_more_than_was_asked_is_refused_beside_its_input(
    site: Site, ana: Browser, figure: str
) -> None:
    row = await budget(site)

    refused = await answered(ana, row, choice="approve", **{"changes.amount": figure})

    (amount,) = named(refused, "changes.amount")
    assert refused.status_code == 422
    assert amount.has("aria-invalid", "true")
    assert amount.has("value", figure)
    assert not (await site.picture(row.id)).votes


async def test_less_is_granted_and_told(site: Site, ana: Browser) -> None:
    row = await budget(site, quorum=1)
    shown = await ana.get(f"/approvals/{row.id}")

    await answered(ana, row, choice="approve", **{"changes.amount": "40000"})

    over = await ana.get(f"/approvals/{row.id}")
    listed = await ana.get("/approvals?view=decided")
    assert '<p class="amount"><bdi>50000.00 USD</bdi></p>' in shown.text
    assert "at most 50000.00 USD" in shown.text
    assert "approved on the web, for 40000.00 USD." in over.text
    for page in (over, listed):
        assert "Approved for 40000.00 USD by Ana Diaz." in page.text
