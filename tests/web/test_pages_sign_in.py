"""A link in one's own mail signs in, once; nobody learns who is known here, and nobody is led away."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from httpx import Response

from bot.application import Application
from bot.web.pages.landing import landing
from engine.ids import DEFAULT_TENANT
from engine.services import sign_ins
from tests.clock import ManualClock
from tests.services.rows import count, given_disabled
from tests.web.redirects import PAYLOADS
from tests.web.site import ANA, Browser, Site

pytestmark = pytest.mark.anyio

PRINTED = re.compile(r"http://127\.0\.0\.1:8080(/sign-in/[A-Za-z0-9_-]+)")


async def asked(site: Site, email: str = "ana@example.com") -> Response:
    return await site.stranger.post("/sign-in", {"email": email})


async def link(site: Site) -> str:
    """The path of a fresh link for Ana."""
    database = site.application.database
    made = await database.write(lambda tx: sign_ins.ask_link(tx, DEFAULT_TENANT, "ana@example.com"))
    assert made is not None
    return f"/sign-in/{made.token}"


async def test_the_answer_is_the_same_whoever_is_asked_for(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    known = await asked(site)
    printed = capsys.readouterr().err
    unknown = await asked(site, "eve@example.com")

    assert PRINTED.search(printed)
    assert not PRINTED.search(capsys.readouterr().err)
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace("ana@", "eve@") == unknown.text
    assert known.headers.keys() == unknown.headers.keys()


@pytest.mark.parametrize(
    "email", ["", "ana", "@", "ana@", "a@b\nBcc: eve@example.com", "<ana@example.com>", "a" * 400]
)
async def test_what_is_no_address_is_asked_for_again(site: Site, email: str) -> None:
    answer = await asked(site, email)

    assert answer.status_code == 422
    assert "That is not an email address." in answer.text
    assert await count(site.application.database, "sign_ins") == 0


async def test_links_are_not_asked_for_without_end(site: Site) -> None:
    answers = [(await asked(site, f"eve{number}@example.com")).status_code for number in range(12)]

    assert answers == [200] * 10 + [429] * 2


async def test_another_site_cannot_sign_anybody_in(site: Site) -> None:
    path = await link(site)

    for target in (path, "/sign-in"):
        answer = await site.stranger.post(
            target, {"email": "ana@example.com"}, origin="https://evil.example"
        )
        assert answer.status_code == 403

    assert await count(site.application.database, "sessions") == 0


@pytest.mark.parametrize("token", ["x", "%00", "a%27", "a" * 3000, "%F0%9F%98%80"])
async def test_what_is_no_link_says_so_in_one_way(site: Site, token: str) -> None:
    for answer in (
        await site.stranger.get(f"/sign-in/{token}"),
        await site.stranger.post(f"/sign-in/{token}", {}),
    ):
        assert answer.status_code == 404
        assert "This sign-in link is not valid any more." in answer.text


async def test_trying_links_is_soon_too_much(site: Site, clock: ManualClock) -> None:
    tried = [(await site.stranger.get(f"/sign-in/x{number}")).status_code for number in range(12)]
    await clock.advance(timedelta(minutes=1))

    assert tried == [404] * 10 + [429] * 2
    assert (await site.stranger.get("/sign-in/y")).status_code == 404
    assert (await site.stranger.get(await link(site))).status_code == 200


async def test_looking_at_a_link_uses_nothing_up(site: Site) -> None:
    path = await link(site)

    for _ in range(20):
        assert "Sign in as Ana Diaz?" in (await site.stranger.get(path)).text
        assert (await site.stranger.client.head(path)).status_code == 204
        assert (await site.stranger.get(path, sec_purpose="prefetch;prerender")).status_code == 204

    assert (await site.stranger.post(path, {})).status_code == 303


async def test_a_link_signs_in_once(site: Site) -> None:
    path = await link(site)
    async with site.browser() as browser, site.browser() as thief:
        answer = await browser.submit(await browser.get(path), path)

        assert answer.headers["location"] == "/"
        assert (await thief.post(path, {})).status_code == 404
        assert (await browser.get("/approvals")).status_code == 200
        assert (await thief.get("/approvals")).status_code == 303


@pytest.mark.parametrize(
    ("base_url", "name", "end"),
    [
        ("http://127.0.0.1:8080", "signoff", ""),
        ("https://signoff.example.com", "__Host-signoff", "; Secure"),
    ],
)
async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    application: Application, base_url: str, name: str, end: str
) -> None:
    async with Site.of(replace(application, base_url=base_url)) as site:
        answer = await site.stranger.post(await link(site), {})

    kept = rf"{name}=[\w-]{{43}}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax{end}"
    cookies = answer.headers.get_list("set-cookie")
    assert [found for found in cookies if re.fullmatch(kept, found)]


async def test_a_new_session_ends_the_one_before(site: Site, ana: Browser) -> None:
    before = ana.client.cookies["signoff"]

    await ana.post(await link(site), {})

    assert ana.client.cookies["signoff"] != before
    stale = await site.stranger.get("/approvals", cookie=f"signoff={before}")
    assert stale.status_code == 303


async def test_a_terminal_is_let_in_by_comparing_its_code(site: Site) -> None:
    database = site.application.database
    terminal = await database.write(
        lambda tx: sign_ins.begin_terminal(tx, "ana@example.com", homes=[DEFAULT_TENANT])
    )
    assert terminal.link is not None
    path = f"/sign-in/{terminal.link.token}"

    shown = await site.stranger.get(path)
    answer = await site.stranger.submit(shown, path)

    assert terminal.code in shown.text
    assert "Your terminal is signed in" in answer.text
    assert "set-cookie" not in answer.headers
    assert await database.write(lambda tx: sign_ins.poll_terminal(tx, terminal.device_secret))


async def test_signing_out_ends_the_session_at_once(site: Site, ana: Browser) -> None:
    token = ana.client.cookies["signoff"]
    assert (await ana.post("/sign-out", {"csrf": "x"})).status_code == 403

    answer = await ana.submit(await ana.get("/approvals"), "/sign-out")

    assert "You are signed out." in (await ana.follow(answer)).text
    assert "signoff" not in ana.client.cookies
    stolen = await site.stranger.get("/approvals", cookie=f"signoff={token}")
    assert stolen.status_code == 303


async def test_the_disabled_are_out_at_once(site: Site, ana: Browser) -> None:
    await given_disabled(site.application.database, ANA)

    assert (await ana.get("/approvals")).status_code == 303


async def test_who_wanted_a_page_gets_there_after_signing_in(site: Site) -> None:
    async with site.browser() as browser:
        led = await browser.get("/approvals?view=open&q=a%26b")
        await browser.follow(led)

        answer = await browser.post(await link(site), {})

        assert answer.headers["location"] == "/approvals?view=open&q=a%26b"
        assert "signoff-next" not in browser.client.cookies


async def test_who_voted_without_a_session_gets_back_to_the_approval(site: Site) -> None:
    answer = await site.stranger.post(
        "/approvals/apr_1/votes", {"choice": "approve", "digest": "x"}
    )

    assert answer.headers["location"] == "/sign-in?next=%2Fapprovals%2Fapr_1"


def test_there_are_more_than_150_ways_that_are_tried() -> None:
    assert len(set(PAYLOADS)) >= 150


def test_no_way_leads_to_another_site() -> None:
    allowed = re.compile(r"/[a-z]+(/[\w-]+)?(\?[\w=&%.+-]*)?")
    led = {payload: landing(payload) for payload in PAYLOADS}

    assert [page for page in led.values() if page != "/" and not allowed.fullmatch(page)] == []
    assert [page for page in led.values() if urlsplit(page).netloc or urlsplit(page).scheme] == []
    assert len([page for page in led.values() if page != "/"]) < 10


async def test_no_way_leads_to_another_site_over_http(site: Site, ana: Browser) -> None:
    for payload in PAYLOADS:
        answer = await ana.get(f"/sign-in?next={quote(payload, errors='surrogatepass')}")

        assert answer.status_code == 303
        assert answer.headers["location"] == landing(payload)
        assert str(ana.client.base_url.join(answer.headers["location"])).startswith(
            "http://127.0.0.1:8080/"
        )


async def test_a_forged_cookie_leads_nowhere_either(site: Site) -> None:
    answer = await site.stranger.post(
        await link(site), {}, cookie="signoff-next=https://evil.example/"
    )

    assert answer.headers["location"] == "/"
