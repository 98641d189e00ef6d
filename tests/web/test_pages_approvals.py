"""An approval's page shows exactly what will happen, takes the vote, and says in words what became of it."""

from datetime import timedelta

import pytest
from httpx import Response

from engine.ids import DEFAULT_TENANT
from engine.rules.states import ApprovalStatus
from engine.services import keys
from engine.services.keys import NewKey
from engine.store.approvals import ApprovalRow
from tests.clock import ManualClock
from tests.web.html import read
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio


def notice(answer: Response) -> str:
    return next(found.text for found in read(answer.text).all("p") if found.has("role", "status"))


def story(answer: Response) -> list[str]:
    page = read(answer.text)
    (told,) = [found for found in page.all("ol") if found.has("class", "story")]
    return [" ".join(found.text.split()) for found in page.within(told) if found.tag == "li"]


async def vote(browser: Browser, row: ApprovalRow, **data: str) -> Response:
    path = f"/approvals/{row.id}"
    return await browser.submit(await browser.get(path), f"{path}/votes", **data)


@pytest.mark.parametrize(
    "path", ["/approvals/apr_none", "/approvals/%00", "/approvals/a%27b", "/approvals/x/live"]
)
async def test_what_is_not_there_is_a_page_with_a_way_back(ana: Browser, path: str) -> None:
    answer = await ana.get(path)

    assert answer.status_code == 404
    assert "Open the inbox" in answer.text


async def test_a_form_of_another_session_votes_for_nobody(
    site: Site, ana: Browser, bo: Browser
) -> None:
    row = await site.asked(quorum=1)
    shown = await bo.get(f"/approvals/{row.id}")
    theirs = next(found for found in read(shown.text).all("input") if found.has("name", "csrf"))

    for csrf in (theirs.attributes["value"], "", "x", "é"):
        data = {"choice": "approve", "digest": row.digest, "csrf": csrf}
        answer = await ana.post(f"/approvals/{row.id}/votes", data)
        assert answer.status_code == 403

    assert not (await site.picture(row.id)).votes


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "http://127.0.0.1:8080.evil.example"},
    ],
    ids=lambda headers: "-".join(headers.values()),
)
async def test_another_site_cannot_send_a_vote(
    site: Site, ana: Browser, headers: dict[str, str]
) -> None:
    row = await site.asked(quorum=1)
    shown = read((await ana.get(f"/approvals/{row.id}")).text)
    csrf = next(found for found in shown.all("input") if found.has("name", "csrf"))
    data = {"choice": "approve", "digest": row.digest, "csrf": csrf.attributes["value"]}

    answer = await ana.post(f"/approvals/{row.id}/votes", data, **headers)

    assert answer.status_code == 403
    assert not (await site.picture(row.id)).votes


async def test_a_post_that_does_not_say_where_it_comes_from_is_refused(
    site: Site, ana: Browser
) -> None:
    row = await site.asked(quorum=1)

    answer = await ana.client.post(f"/approvals/{row.id}/votes", data={"choice": "approve"})

    assert answer.status_code == 403


async def test_who_is_not_asked_is_told_so_and_has_no_button(site: Site, dana: Browser) -> None:
    row = await site.asked()

    shown = await dana.get(f"/approvals/{row.id}")

    assert "You are not one of the people who are asked." in shown.text
    assert not [found for found in read(shown.text).all("button") if found.has("name", "choice")]


async def test_who_asked_is_told_so(site: Site, ana: Browser) -> None:
    row = await site.asked(requester="person:ana")

    assert "nobody approves their own request" in (await ana.get(f"/approvals/{row.id}")).text


async def test_when_time_is_up_there_is_no_button(
    site: Site, ana: Browser, clock: ManualClock
) -> None:
    row = await site.asked(ladder=["reject after 10m"])
    await clock.advance(timedelta(minutes=10))

    assert "The time for this ended on" in (await ana.get(f"/approvals/{row.id}")).text


async def test_everything_that_is_approved_is_shown(site: Site, ana: Browser) -> None:
    arguments = {"args": ["ch_81"], "kwargs": {"amount": "620.00 USD"}}
    call = {"name": "shop:pay_back", "arguments": arguments}
    row = await site.asked(call=call, details={"why": "<b>broken</b>", "evil": "a\\u202eb"})

    shown = (await ana.get(f"/approvals/{row.id}")).text

    for text in (
        "pay_back(&#34;ch_81&#34;, amount=&#34;620.00 USD&#34;)",
        "<code>shop</code>",
        "&lt;b&gt;broken&lt;/b&gt;",
        row.digest,
        "0 of 2 approvals",
    ):
        assert text in shown


async def test_a_key_that_asked_is_called_by_its_name(site: Site, ana: Browser) -> None:
    wanted = NewKey(name="night desk", scopes=["approvals:ask"])
    key, _ = await site.application.database.write(
        lambda tx: keys.create(tx, DEFAULT_TENANT, wanted, by="local")
    )
    row = await site.asked(requester=f"key:{key.id}")

    for path in (f"/approvals/{row.id}", "/approvals", f"/respond/{await site.link(row)}"):
        shown = (await ana.get(path)).text
        assert "night desk" in shown
        assert f"key:{key.id}" not in shown


async def test_a_vote_is_recorded_and_said_once(site: Site, ana: Browser) -> None:
    row = await site.asked()

    answer = await vote(ana, row, choice="approve", comment=" Fine.\r\nReally. ")

    assert answer.headers["location"] == f"/approvals/{row.id}"
    first, second = await ana.follow(answer), await ana.follow(answer)
    assert "Recorded. 1 of 2 approvals." in notice(first)
    assert "Recorded. 1 of 2 approvals." not in second.text
    (cast,) = (await site.picture(row.id)).votes
    assert (cast.comment, cast.channel, cast.identified_by) == ("Fine.\nReally.", "web", "session")
    assert "You answered" in second.text


async def test_a_notice_that_we_did_not_write_is_not_shown(site: Site, ana: Browser) -> None:
    row = await site.asked()
    await vote(ana, row, choice="approve")
    written = ana.client.cookies["signoff-notice"]
    session = f"signoff={ana.client.cookies['signoff']}"
    ana.client.cookies.clear()

    for forged in ("", ".", "x.y", written + "0", "bm9wZQ" + written[6:]):
        answer = await ana.get("/runs", cookie=f"{session}; signoff-notice={forged}")
        assert 'role="status"' not in answer.text
    assert (
        "Recorded" in (await ana.get("/runs", cookie=f"{session}; signoff-notice={written}")).text
    )


async def test_a_vote_on_what_was_edited_meanwhile_counts_for_nothing(
    site: Site, ana: Browser
) -> None:
    row = await site.asked()

    answer = await vote(ana, row, choice="approve", digest="sha256:" + "0" * 64)

    assert answer.status_code == 409
    assert "the request was edited" in notice(answer)
    assert not (await site.picture(row.id)).votes


async def test_asking_for_changes_wants_a_comment(site: Site, ana: Browser) -> None:
    row = await site.asked()

    answer = await vote(ana, row, choice="request_changes")

    assert answer.status_code == 422
    assert "wants a comment" in notice(answer)


async def test_who_comes_second_is_told_who_decided(site: Site, ana: Browser, bo: Browser) -> None:
    row = await site.asked(quorum=1)
    shown = await bo.get(f"/approvals/{row.id}")
    await vote(ana, row, choice="approve")

    answer = await bo.submit(shown, f"/approvals/{row.id}/votes", choice="reject")

    assert "already approved by Ana Diaz" in notice(await bo.follow(answer))
    assert (await site.picture(row.id)).status is ApprovalStatus.APPROVED


async def test_the_live_part_shows_what_others_did(site: Site, ana: Browser, bo: Browser) -> None:
    row = await site.asked()
    await vote(bo, row, choice="approve")

    live = await ana.get(f"/approvals/{row.id}/live?seen={row.digest}", hx_request="true")
    stale = await ana.get(f"/approvals/{row.id}/live?seen=sha256:0", hx_request="true")

    assert "1 of 2 approvals" in live.text
    assert "Bo Lind approved." in live.text
    assert "<html" not in live.text
    assert "was edited after you opened it" not in live.text
    assert "was edited after you opened it" in stale.text


async def test_the_page_tells_what_happened(site: Site, ana: Browser, bo: Browser) -> None:
    row = await site.asked()
    shown = await ana.get(f"/approvals/{row.id}")
    await vote(ana, row, choice="approve")
    await vote(bo, row, choice="reject", comment="No.")
    await ana.submit(shown, f"/approvals/{row.id}/votes", choice="abstain")

    assert story(await ana.get(f"/approvals/{row.id}")) == [
        "15 Jan 2026, 12:00 UTC the workflow asked for this.",
        "15 Jan 2026, 12:00 UTC Ana Diaz approved on the web.",
        "15 Jan 2026, 12:00 UTC Bo Lind rejected on the web.",
        "15 Jan 2026, 12:00 UTC It was rejected: enough people objected.",
        "15 Jan 2026, 12:00 UTC Ana Diaz abstained on the web, too late to count.",
    ]
