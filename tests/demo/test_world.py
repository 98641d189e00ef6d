"""The three stand-ins at one address: pages that can be used, and servers that stop at once."""

import asyncio
import re
from collections.abc import AsyncIterator

import aiosmtplib
import anyio
import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.demo.hooks.verification import signature
from bot.demo.mail.scanner import scan
from bot.demo.serving import served
from bot.demo.world import World, world
from tests.clock import ManualClock
from tests.demo.conftest import App
from tests.demo.test_hooks import event
from tests.demo.test_mail import letter
from tests.demo.test_slack_blocks import actions, asking, button, modal, plain

pytestmark = pytest.mark.anyio

HERE = "C0APPROVALS"


@pytest.fixture
async def outside(clock: ManualClock, app: App) -> AsyncIterator[World]:
    routes = [Route("/{path:path}", app.hear, methods=["GET", "HEAD", "POST"])]
    async with world(clock) as made, served(Starlette(routes=routes)) as bot:
        made.bot_at(bot)
        yield made


@pytest.fixture
async def browser(outside: World) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=outside.url, follow_redirects=True, trust_env=False
    ) as client:
        yield client


def slack_client(outside: World) -> AsyncWebClient:
    token = outside.slack.house.bot_token
    return AsyncWebClient(token, base_url=outside.slack.api_url, retry_handlers=[])


async def test_the_first_page_is_the_workspace(browser: httpx.AsyncClient, outside: World) -> None:
    page = await browser.get("/")

    assert page.url.path == "/slack/"
    assert re.findall(r'<a href="(/\w+/)"', page.text) == ["/slack/", "/mail/", "/hooks/"]
    assert outside.nav.links["Signoff"] in page.text
    assert (await browser.get("/slack/static/demo.css")).status_code == 200


async def test_a_button_is_pressed_from_the_page(
    browser: httpx.AsyncClient, outside: World, app: App
) -> None:
    blocks = [actions(button(text=plain("Approve <1>"), action_id="signoff:approve"))]
    await slack_client(outside).chat_postMessage(channel=HERE, text="Refund?", blocks=blocks)
    ts = outside.slack.messages(HERE)[-1].ts

    page = await browser.get("/slack/", params={"as": "U0BO", "in": HERE})
    form = {"as": "U0BO", "in": HERE, "ts": ts, "element": "signoff:approve"}
    await browser.post("/slack/act/press", data=form)

    assert "Approve &lt;1&gt;</button>" in page.text
    assert '"id":"U0BO"' in str(app.form)
    assert "response_url" in app.payload
    assert str(app.payload["response_url"]).startswith(f"{outside.url}/slack/respond/")


async def test_a_modal_is_filled_on_the_page_and_errors_stand_next_to_fields(
    browser: httpx.AsyncClient, outside: World, app: App
) -> None:
    me = {"as": "U0BO", "in": HERE}
    await browser.post("/slack/act/say", data={**me, "text": "/approvals new"})
    view = modal(title=plain("Say why"), blocks=[asking(multiline=True)])
    await slack_client(outside).views_open(trigger_id=app.form["trigger_id"], view=view)

    empty = await browser.post("/slack/act/submit", data={**me, "field": "why", "value:why": ""})
    app.will_answer({"response_action": "errors", "errors": {"why": "Too short <b>"}})
    short = await browser.post("/slack/act/submit", data={**me, "field": "why", "value:why": "no"})
    app.answer = Response()
    done = await browser.post("/slack/act/submit", data={**me, "field": "why", "value:why": "yes"})

    assert "Please complete this required field." in empty.text
    assert "Too short &lt;b&gt;" in short.text
    assert ">no</textarea>" in short.text
    assert "Say why" not in done.text


async def test_a_failed_command_is_told_to_the_person_alone(
    browser: httpx.AsyncClient, app: App
) -> None:
    app.answer = Response(status_code=500)

    mine = await browser.post(
        "/slack/act/say", data={"as": "U0BO", "in": HERE, "text": "/approvals"}
    )
    other = await browser.get("/slack/", params={"as": "U0ANA", "in": HERE})

    assert "http_service_error" in mine.text
    assert "http_service_error" not in other.text


async def test_the_home_tab_is_published_for_whoever_opens_it(
    browser: httpx.AsyncClient, outside: World, app: App
) -> None:
    home = {"type": "home", "blocks": [{"type": "header", "text": plain("Waiting for you")}]}
    await browser.post("/slack/act/home", data={"as": "U0BO", "in": "home"})
    await slack_client(outside).views_publish(user_id="U0BO", view=home)

    page = await browser.get("/slack/", params={"as": "U0BO", "in": "home"})

    assert b'"app_home_opened"' in app.heard[0][1]
    assert "Waiting for you" in page.text


async def test_another_site_presses_no_buttons(browser: httpx.AsyncClient, app: App) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}

    answers = [
        await browser.post(path, headers=headers, data={"text": "/approvals", "in": HERE})
        for path in ("/slack/act/say", "/hooks/answer")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert app.heard == []


async def test_a_mail_is_read_in_a_frame_that_runs_nothing(
    browser: httpx.AsyncClient, outside: World
) -> None:
    await aiosmtplib.send(letter(), hostname="127.0.0.1", port=outside.mail.port, start_tls=False)
    mail = await outside.mail.mailbox.arrival("ana@example.com")

    boxes = await browser.get("/mail/", params={"to": "ana@example.com"})
    one = await browser.get(f"/mail/mails/{mail.id}")
    html = await browser.get(f"/mail/mails/{mail.id}/html")
    raw = await browser.get(f"/mail/mails/{mail.id}/raw")

    assert "Refund?" in boxes.text
    assert f'src="/mail/mails/{mail.id}/html"' in one.text
    assert html.text.startswith('<base target="_blank">')
    policy = html.headers["content-security-policy"]
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "allow-scripts" not in policy
    assert "Message-ID: <1@example.com>" in raw.text
    assert (await browser.get("/mail/mails/none")).status_code == 404


async def test_a_scanner_opens_every_link_of_a_mail(outside: World, app: App) -> None:
    message = letter(link=f"{outside.nav.links['Signoff']}respond/t1")
    await aiosmtplib.send(message, hostname="127.0.0.1", port=outside.mail.port, start_tls=False)

    visits = await scan(await outside.mail.mailbox.arrival())

    assert [visit.method for visit in visits] == ["HEAD", "GET", "GET", "OPTIONS"] * 2
    assert [visit.reply.status for visit in visits] == [200, 200, 200, 405] * 2
    assert len(app.heard) == 6


async def test_an_approval_is_answered_from_the_page(
    browser: httpx.AsyncClient, outside: World, app: App, clock: ManualClock
) -> None:
    bot = outside.nav.links["Signoff"]
    approval = {"title": "Refund <b>", "digest": "sha256:1"}
    body = event(approval=approval, actions={"url": f"{bot}callbacks/apr_1", "token": "t"})
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(clock.now().timestamp())),
        "webhook-signature": signature(
            outside.hooks.secrets[0], message_id="msg_1", at=clock.now(), body=body
        ),
    }
    await browser.post("/hooks/in", content=body, headers=headers)
    await browser.post("/hooks/in", content=body, headers={"webhook-id": "msg_2"})

    form = {"delivery": "msg_1", "choice": "approve", "comment": "fine", "proof": "bearer"}
    page = await browser.post("/hooks/answer", data=form)

    assert "Refund &lt;b&gt;" in page.text
    assert "webhook-timestamp is missing" in page.text
    assert b'"choice":"approve"' in app.heard[-1][1]
    assert app.heard[-1][0]["authorization"] == "Bearer t"


async def test_open_pages_do_not_hold_up_the_end(clock: ManualClock) -> None:
    ended = anyio.Event()

    async def watch(url: str, started: anyio.Event) -> None:
        client = httpx.AsyncClient(trust_env=False)
        async with client, client.stream("GET", f"{url}/slack/changes") as stream:
            async for _ in stream.aiter_lines():
                started.set()
        ended.set()

    async with anyio.create_task_group() as group:
        async with world(clock) as made:
            started = anyio.Event()
            group.start_soon(watch, made.url, started)
            await started.wait()
        with anyio.fail_after(5):
            await ended.wait()


async def test_a_port_that_is_taken_is_said_at_once(clock: ManualClock) -> None:
    async with world(clock) as first:
        port = int(first.url.rpartition(":")[2])

        with pytest.raises(OSError, match="in use"):
            async with world(clock, port=port):
                pass


async def test_a_served_application_gets_to_finish_what_it_began() -> None:
    begun, go_on = anyio.Event(), anyio.Event()
    answers: list[str] = []

    async def slow(_: Request) -> Response:
        begun.set()
        await go_on.wait()
        return PlainTextResponse("done")

    async def ask(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            answers.append((await client.get(url)).text)

    async with (
        anyio.create_task_group() as group,
        served(Starlette(routes=[Route("/", slow)])) as url,
    ):
        group.start_soon(ask, url)
        await begun.wait()
        asyncio.get_running_loop().call_soon(go_on.set)

    assert answers == ["done"]
