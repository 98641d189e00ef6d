"""Changing what is asked on a page: beside what was asked, told in words, and agreed to as it was shown."""

import pytest

from engine.store.approvals import ApprovalRow
from tests.web.site import ANA, BO, Site

pytestmark = pytest.mark.anyio


async def changeable(site: Site) -> ApprovalRow:
    return await site.asked(kind="modify", fields=["amount"])


async def test_a_page_refuses_what_the_field_cannot_hold_and_says_why(site: Site) -> None:
    row = await changeable(site)
    path = f"/respond/{await site.link(row)}"

    page = await site.stranger.get(path)
    refused = await site.stranger.submit(
        page, path, choice="approve", **{"changes.amount": "20.00 EUR"}
    )

    assert "asked: <bdi>620.00 USD</bdi>" in page.text
    assert refused.status_code == 422
    assert "stays in USD" in refused.text
    assert not (await site.picture(row.id)).votes


@pytest.mark.parametrize("choice", ["agree:", "agree:sha256:x", "modify"])
async def test_an_answer_that_no_form_of_ours_gives_is_refused(site: Site, choice: str) -> None:
    row = await changeable(site)

    async with site.browser(ANA) as ana:
        page = await ana.get(f"/approvals/{row.id}")
        refused = await ana.submit(page, f"/approvals/{row.id}/votes", choice=choice)

    assert refused.status_code == 422
    assert not (await site.picture(row.id)).votes


async def test_what_stands_in_the_inputs_is_nothing_when_it_is_rejected(site: Site) -> None:
    row = await changeable(site)

    async with site.browser(ANA) as ana:
        page = await ana.get(f"/approvals/{row.id}")
        answer = {"changes.amount": "", "choice": "reject"}
        await ana.submit(page, f"/approvals/{row.id}/votes", **answer)

    assert (await site.picture(row.id)).status == "rejected"


async def test_what_was_typed_survives_a_refusal_but_no_change_goes_along_to_another_version(
    site: Site,
) -> None:
    row = await changeable(site)
    path = f"/approvals/{row.id}"
    answer = {"choice": "approve", "changes.amount": "20.00 EUR", "comment": "Too much"}

    async with site.browser(ANA) as ana:
        refused = await ana.submit(await ana.get(path), f"{path}/votes", **answer)
        other = {**answer, "digest": "sha256:" + "0" * 64}
        edited = await ana.submit(refused, f"{path}/votes", **other)
        again = await ana.follow(await ana.get(f"{path}/votes"))

    assert (refused.status_code, edited.status_code) == (422, 409)
    assert 'value="20.00 EUR"' in refused.text
    assert 'value="620.00 USD"' in edited.text
    assert "Too much</textarea>" in refused.text
    assert "Too much</textarea>" in edited.text
    assert "Too much" not in again.text


async def test_one_changes_by_mail_and_the_other_agrees_on_the_web(site: Site) -> None:
    row = await changeable(site)
    path = f"/respond/{await site.link(row)}"
    page = await site.stranger.get(path)
    await site.stranger.submit(page, path, choice="approve", **{"changes.amount": "20"})
    [proposed] = (await site.picture(row.id)).modifying.outcomes

    async with site.browser(BO) as bo:
        seen = await bo.get(f"/approvals/{row.id}")
        live = await bo.get(f"/approvals/{row.id}/live?seen={row.digest}")
        agree = f"agree:{proposed.digest}"
        answer = {"choice": agree, "changes.amount": "620.00 USD"}
        await bo.submit(seen, f"/approvals/{row.id}/votes", **answer)
        over = await bo.get(f"/approvals/{row.id}")

    assert "<del><bdi>620.00 USD</bdi></del>" in seen.text
    assert "<ins><bdi>20.00 USD</bdi></ins>" in seen.text
    assert f'value="{agree}"' in seen.text
    assert f'value="{agree}"' in live.text
    assert (await site.picture(row.id)).modifying.decided == {"amount": "20.00 USD"}
    assert "Approved with changes by" in over.text
