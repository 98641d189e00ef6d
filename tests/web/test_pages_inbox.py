"""The inbox shows what is whose, finds what is looked for, and answers several at once one by one."""

import pytest
from httpx import Response

from engine.ids import DEFAULT_TENANT
from engine.rules.states import ApprovalStatus
from engine.services import keys
from engine.services.keys import NewKey
from tests.web.html import read
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio


def titles(html: str) -> list[str]:
    page = read(html)
    return [heading.text.strip() for heading in page.all("h2") if "item" in str(heading.inside)]


def results(answer: Response) -> list[tuple[bool, str]]:
    """Of each item whether it was recorded, and what was said about it."""
    page = read(answer.text)
    lines = [
        " ".join(found.text.split())
        for found in page.all("li")
        if any(inner.tag == "bdi" for inner in page.within(found))
    ]
    return [(line.startswith("Recorded"), line) for line in lines]


async def bulk(browser: Browser, **data: str | list[str]) -> Response:
    return await browser.submit(await browser.get("/approvals"), "/approvals/bulk", **data)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/approvals",
        "/approvals?view=open&q=a",
        "/approvals/apr_1",
        "/runs",
        "/runs/run_1",
        "/outbox",
    ],
)
async def test_strangers_are_led_to_sign_in_and_back(site: Site, path: str) -> None:
    answer = await site.stranger.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


async def test_a_part_that_renews_itself_is_not_replaced_by_the_sign_in_page(site: Site) -> None:
    answer = await site.stranger.get("/approvals/list", hx_request="true")

    assert answer.status_code == 401


async def test_the_start_page_says_what_to_do_first(site: Site, ana: Browser) -> None:
    first = await ana.get("/")
    await site.asked()
    later = await ana.get("/")

    assert "Nothing has been asked yet" in first.text
    assert "http://127.0.0.1:8080/api/approvals" in first.text
    assert later.headers["location"] == "/approvals"


async def test_mine_is_what_i_can_still_decide(site: Site, ana: Browser, dana: Browser) -> None:
    await site.asked(title="Later", ladder=["reject after 8h"])
    await site.asked(title="Sooner", ladder=["reject after 1h"])
    await site.asked(title="Theirs", approvers="person:bo", quorum=1)
    await site.asked(title="My own", requester="person:ana")

    assert titles((await ana.get("/approvals")).text) == ["Sooner", "Later"]
    assert titles((await dana.get("/approvals")).text) == []
    assert len(titles((await dana.get("/approvals?view=open")).text)) == 4


async def test_what_is_decided_moves_to_the_decided(site: Site, ana: Browser) -> None:
    row = await site.asked(quorum=1)
    await site.asked(title="Still open")
    await ana.submit(
        await ana.get(f"/approvals/{row.id}"), f"/approvals/{row.id}/votes", choice="approve"
    )

    assert titles((await ana.get("/approvals")).text) == ["Still open"]
    assert titles((await ana.get("/approvals?view=decided")).text) == ["Refund order 17?"]


@pytest.mark.parametrize("view", ["mine", "open"])
@pytest.mark.parametrize(
    ("q", "count"),
    [("REFUND", 1), ("100%25", 1), ("%25", 1), ("f_n", 0), ("deploy", 1), ("no", 0), ("%00%27", 0)],
)
async def test_a_search_takes_every_letter_as_it_is(
    site: Site, ana: Browser, view: str, q: str, count: int
) -> None:
    await site.asked(title="Refund 100%", action="refund")
    await site.asked(title="Deploy 4.2", action="deploy")

    answer = await ana.get(f"/approvals?view={view}&q={q}")

    assert len(titles(answer.text)) == count


@pytest.mark.parametrize("view", ["mine", "open", "decided"])
@pytest.mark.parametrize(
    ("q", "found"),
    [("dana oz", ["By Dana"]), ("NIGHT", ["By a key"]), ("person:dana", ["By Dana"]), ("100_", [])],
)
async def test_a_search_finds_whoever_asked_by_name(
    site: Site, ana: Browser, view: str, q: str, found: list[str]
) -> None:
    wanted = NewKey(name="Night desk", scopes=["approvals:ask"])
    key, _ = await site.application.database.write(
        lambda tx: keys.create(tx, DEFAULT_TENANT, wanted, by="local")
    )
    for title, requester in [("By a key", f"key:{key.id}"), ("By Dana", "person:dana")]:
        row = await site.asked(title=title, requester=requester, quorum=1)
        if view == "decided":
            path = f"/approvals/{row.id}"
            await ana.submit(await ana.get(path), f"{path}/votes", choice="approve")

    assert titles((await ana.get(f"/approvals?view={view}&q={q}")).text) == found


async def test_the_decided_are_all_that_ended_however_newest_first(
    site: Site, ana: Browser, bo: Browser
) -> None:
    ends = {"Yes": "approve", "No": "reject", "Later": "request_changes"}
    for title in [*ends, "Open"]:
        row = await site.asked(title=title, quorum=1)
        path = f"/approvals/{row.id}"
        if title in ends:
            shown = await bo.get(path)
            await bo.submit(shown, f"{path}/votes", choice=ends[title], comment="Because.")

    decided = [
        titles((await ana.get(f"/approvals?view={view}")).text) for view in ("decided", "open")
    ]

    assert decided == [["Later", "No", "Yes"], ["Open"]]


@pytest.mark.parametrize("view", ["mine", "open"])
async def test_long_lists_come_in_pages_that_renew_themselves(
    site: Site, ana: Browser, view: str
) -> None:
    for number in range(53):
        await site.asked(title=f"Request {number}")
    first = await ana.get(f"/approvals?view={view}")
    (more,) = [found for found in read(first.text).all("a") if found.has("class", "more-link")]
    path = more.attributes["href"]

    second = await ana.get(path)
    renewed = await ana.get(
        f"/approvals/list?view={view}&q=",
        hx_request="true",
        hx_current_url=f"http://127.0.0.1:8080{path}",
    )

    assert len(titles(first.text)) == 50
    assert len(titles(second.text)) == len(titles(renewed.text)) == 3
    assert len({*titles(first.text), *titles(second.text)}) == 53


async def test_nothing_selected_changes_nothing(site: Site, ana: Browser) -> None:
    row = await site.asked(quorum=1)

    answer = await bulk(ana, choice="approve")

    assert "Nothing was selected." in (await ana.follow(answer)).text
    assert (await site.picture(row.id)).status is ApprovalStatus.OPEN


@pytest.mark.parametrize("choice", ["", "abstain", "request_changes", "delete"])
async def test_several_are_only_approved_or_rejected(site: Site, ana: Browser, choice: str) -> None:
    row = await site.asked(quorum=1)

    answer = await bulk(ana, choice=choice, item=f"{row.id} {row.digest}")

    assert answer.status_code == 422
    assert not (await site.picture(row.id)).votes


async def test_each_of_several_says_what_became_of_it(site: Site, ana: Browser) -> None:
    counted = await site.asked(title="Counted")
    edited = await site.asked(title="Edited")
    risky = await site.asked(title="Risky", risk="high")
    theirs = await site.asked(title="Theirs", approvers="person:bo", quorum=1)
    wordy = await site.asked(title="Wordy", comment="required")
    items = [f"{row.id} {row.digest}" for row in (counted, risky, theirs, wordy)]

    answer = await bulk(
        ana, choice="approve", item=[*items, f"{edited.id} sha256:0", "apr_none x", items[0]]
    )

    said = results(answer)
    assert [recorded for recorded, _ in said] == [True, False, False, False, False, False]
    assert "1 of 2 approvals" in said[0][1]
    assert "open it, read it" in said[1][1]
    assert "not one of the people" in said[2][1]
    assert "wants a comment" in said[3][1]
    assert "edited" in said[4][1]
    assert "There is no approval" in said[5][1]


async def test_a_comment_goes_to_all_that_are_selected(site: Site, ana: Browser) -> None:
    rows = [await site.asked(comment="required", quorum=1) for _ in range(3)]

    await bulk(
        ana, choice="reject", comment="Not today", item=[f"{row.id} {row.digest}" for row in rows]
    )

    for row in rows:
        picture = await site.picture(row.id)
        assert picture.status is ApprovalStatus.REJECTED
        assert [vote.comment for vote in picture.votes] == ["Not today"]
