"""A personal link shows exactly what would be decided, and its page decides once for its person."""

from datetime import timedelta

import pytest
from httpx import Response
from structlog.testing import capture_logs

from bot.web.pages.opened import nonce
from engine.ids import DEFAULT_TENANT
from engine.rules.states import ApprovalStatus
from engine.services import links, runs
from engine.store.approvals import ApprovalRow
from tests.clock import ManualClock
from tests.services.rows import audited, given_disabled
from tests.web.html import read
from tests.web.site import ANA, BO, DANA, Browser, Site

pytestmark = pytest.mark.anyio

GONE = "This link no longer works"


async def shown(site: Site, row: ApprovalRow, query: str = "") -> tuple[str, Response]:
    """The path of Ana's link, and the page behind it."""
    path = f"/respond/{await site.link(row)}"
    return path, await site.stranger.get(path + query)


def headline(answer: Response) -> str:
    return read(answer.text).all("h1")[0].text


async def test_whatever_is_no_link_gets_one_answer(site: Site, clock: ManualClock) -> None:
    row = await site.asked()
    token = await site.link(row)
    bodies: set[str] = set()

    for wrong in (
        token[:-1],
        token + "x",
        token.swapcase(),
        "x",
        "%00",
        "a" * 5_000,
        "%F0%9F%98%80",
    ):
        looked = await site.stranger.get(f"/respond/{wrong}")
        posted = await site.stranger.post(f"/respond/{wrong}", {"choice": "approve", "nonce": "x"})
        assert looked.status_code == 404
        assert posted.status_code == 404
        bodies |= {looked.text, posted.text}
        await clock.advance(timedelta(minutes=1))

    assert len(bodies) == 1
    assert row.content.title not in bodies.pop()


async def test_trying_tokens_is_soon_too_much_but_a_real_link_still_opens(site: Site) -> None:
    path, _ = await shown(site, await site.asked())

    tried = [(await site.stranger.get(f"/respond/x{number}")).status_code for number in range(13)]

    assert tried == [404] * 10 + [429] * 3
    assert (await site.stranger.get(path)).status_code == 200


async def test_a_link_of_a_disabled_person_opens_nothing(site: Site) -> None:
    path, _ = await shown(site, await site.asked())
    await given_disabled(site.application.database, ANA)

    assert (await site.stranger.get(path)).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}],
    ids=str,
)
async def test_another_site_cannot_press_the_button(site: Site, headers: dict[str, str]) -> None:
    row = await site.asked()
    path, _ = await shown(site, row)
    sent = nonce(site.application, path.rpartition("/")[2])
    data = {"choice": "approve", "digest": row.digest, "nonce": sent}

    answer = await site.stranger.post(path, data, **headers)

    assert answer.status_code == 403
    assert not (await site.picture(row.id)).votes


async def test_a_nonce_belongs_to_its_own_page(site: Site) -> None:
    row = await site.asked()
    path, page = await shown(site, row)
    theirs = nonce(site.application, await site.link(row, BO))

    for sent in (theirs, "", "x", "1.2.3"):
        answer = await site.stranger.submit(page, path, choice="approve", nonce=sent)
        assert answer.status_code == 409
        assert "open for too long" in answer.text

    assert not (await site.picture(row.id)).votes


async def test_a_page_that_was_open_for_too_long_is_shown_anew(
    site: Site, clock: ManualClock
) -> None:
    row = await site.asked()
    path, page = await shown(site, row)
    await clock.advance(timedelta(minutes=10))

    late = await site.stranger.submit(page, path, choice="approve")
    again = await site.stranger.submit(late, path, choice="approve")

    assert late.status_code == 409
    assert "Recorded. 1 of 2 approvals." in again.text


async def test_a_page_decides_once(site: Site) -> None:
    row = await site.asked()
    path, page = await shown(site, row)
    await site.stranger.submit(page, path, choice="approve")

    again = await site.stranger.submit(page, path, choice="reject")

    assert again.status_code == 409
    assert "This page has answered already." in again.text
    assert (await site.picture(row.id)).status is ApprovalStatus.OPEN


@pytest.mark.parametrize(
    "choice", ["approve", "reject", "request_changes", "abstain", "nonsense", ""]
)
async def test_the_choice_of_the_link_is_marked_and_nothing_is_decided(
    site: Site, choice: str
) -> None:
    row = await site.asked()
    _, page = await shown(site, row, f"?choice={choice}")

    marked = [
        found.attributes["value"] for found in read(page.text).all("input") if found.has("checked")
    ]

    assert marked == (
        [choice] if choice in {"approve", "reject", "request_changes", "abstain"} else []
    )
    assert "You act as <strong>Ana Diaz</strong>" in page.text
    assert row.digest in page.text
    assert "620.00 USD" in page.text
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    assert not (await site.picture(row.id)).votes


async def test_high_risk_is_not_shown_to_whoever_holds_the_link(site: Site) -> None:
    row = await site.asked(risk="high")

    path, page = await shown(site, row)

    assert page.status_code == 403
    assert "Sign in and look at it" in page.text
    assert f'href="/approvals/{row.id}"' in page.text
    assert row.content.title not in page.text
    assert (await site.stranger.post(path, {"choice": "approve"})).status_code == 403


async def test_high_risk_is_not_decided_by_a_link_and_the_try_is_on_record(site: Site) -> None:
    row = await site.asked(risk="high", quorum=1)
    token = await site.link(row)
    sent = nonce(site.application, token)

    answer = await site.stranger.post(
        f"/respond/{token}", {"choice": "approve", "digest": row.digest, "nonce": sent}
    )

    assert answer.status_code == 403
    assert not (await site.picture(row.id)).votes
    assert (await audited(site.application.database))[-1] == "vote.refused"


async def test_a_vote_by_link_is_recorded_as_one(site: Site) -> None:
    row = await site.asked(comment="on_reject")
    path, page = await shown(site, row)

    refused = await site.stranger.submit(page, path, choice="reject")
    answer = await site.stranger.submit(refused, path, choice="reject", comment="Too much.")

    assert refused.status_code == 422
    assert "wants a comment" in refused.text
    assert answer.status_code == 200
    assert headline(answer) == "Recorded. Rejected: 1 of 1 rejection."
    (cast,) = (await site.picture(row.id)).votes
    assert (cast.person, cast.channel, cast.identified_by, cast.comment) == (
        ANA,
        "email",
        "link",
        "Too much.",
    )


async def test_an_answer_may_be_changed_until_it_is_decided(site: Site) -> None:
    row = await site.asked()
    path, page = await shown(site, row)
    await site.stranger.submit(page, path, choice="approve")

    answer = await site.stranger.submit(await site.stranger.get(path), path, choice="abstain")

    assert "Changed." in answer.text
    assert (await site.picture(row.id)).tally.have == 0


async def test_after_the_decision_the_link_tells_the_outcome(site: Site, bo: Browser) -> None:
    row = await site.asked(quorum=1)
    path, page = await shown(site, row)
    await bo.submit(
        await bo.get(f"/approvals/{row.id}"), f"/approvals/{row.id}/votes", choice="approve"
    )

    looked = await site.stranger.get(path)
    pressed = await site.stranger.submit(page, path, choice="reject")

    assert (looked.status_code, headline(looked)) == (200, "This is decided already.")
    assert "Approved by Bo Lind." in looked.text
    assert pressed.status_code == 409
    assert "already approved by Bo Lind" in headline(pressed)
    assert [vote.is_late for vote in (await site.picture(row.id)).votes] == [False, True]


async def test_a_used_page_is_refused_after_the_end_too(site: Site) -> None:
    row = await site.asked(quorum=1)
    path, page = await shown(site, row)
    await site.stranger.submit(page, path, choice="approve")

    again = await site.stranger.submit(page, path, choice="reject")

    assert (again.status_code, headline(again)) == (409, "This is decided already.")
    assert "This page has answered already." in again.text
    assert "Approved by Ana Diaz." in again.text


async def test_after_the_deadline_the_link_says_so(site: Site, clock: ManualClock) -> None:
    row = await site.asked(ladder=["reject after 5m"])
    path, page = await shown(site, row)
    await clock.advance(timedelta(minutes=5))

    looked = await site.stranger.get(path)
    pressed = await site.stranger.submit(page, path, choice="approve")

    assert looked.status_code == 200
    assert "The time for this ended" in headline(looked)
    assert pressed.status_code == 409
    assert "the time for this request ended" in headline(pressed)


async def test_a_withdrawn_request_says_so(site: Site) -> None:
    row = await site.asked()
    path, _ = await shown(site, row)
    await site.application.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, row.run, by="person:dana", reason="Enough.")
    )

    assert headline(await site.stranger.get(path)) == "This was withdrawn."


async def test_a_link_that_was_taken_back_is_gone(site: Site) -> None:
    row = await site.asked()
    path, page = await shown(site, row)
    await site.application.database.write(lambda tx: links.revoke_for(tx, row.id, person=ANA))

    looked, pressed = (
        await site.stranger.get(path),
        await site.stranger.submit(page, path, choice="approve"),
    )

    assert (looked.status_code, pressed.status_code) == (410, 410)
    assert headline(looked) == GONE
    assert not (await site.picture(row.id)).votes


async def test_who_is_no_longer_asked_is_told_so(site: Site) -> None:
    row = await site.asked()

    looked = await site.stranger.get(f"/respond/{await site.link(row, DANA)}")

    assert headline(looked) == "You are not one of the people who are asked."


async def test_no_token_is_logged(site: Site) -> None:
    row = await site.asked()

    with capture_logs() as told:
        path, page = await shown(site, row, "?choice=approve")
        await site.stranger.submit(page, path, choice="approve")
        await site.stranger.get("/sign-in/abcdefghijkl")

    logged = str(told)
    assert "/respond/…" in logged
    assert path.rpartition("/")[2] not in logged
    assert "abcdefghijkl" not in logged
