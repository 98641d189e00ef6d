"""The people's browser: it posts what a page's form holds, and says where it comes from."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.demo.browser import Browser, NothingToPost
from bot.demo.serving import served

pytestmark = pytest.mark.anyio

PAGE = """<style>p { color: red }</style><form action="/search"><input name="q"></form>
<h1>Refund &lt;b&gt;?</h1><form method="post" action="answer">
<input type="hidden" name="nonce" value="n1">
<input type="radio" name="choice" value="approve"><input type="radio" name="choice" value="reject" checked>
<input type="checkbox" name="sure" value="1"><button>Send</button></form>"""


class Site:
    """Answers with the page, and keeps what is posted to it."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], dict[str, str]]] = []

    async def show(self, _request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def empty(self, request: Request) -> Response:
        return HTMLResponse(f"<p>No form, {request.cookies.get('who')}</p>", status_code=404)

    async def take(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.heard.append((form, dict(request.headers)))
        answer = RedirectResponse("/empty", status_code=303)
        answer.set_cookie("who", "bo")
        return answer


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
async def url(site: Site) -> AsyncIterator[str]:
    routes = [
        Route("/pages/one", site.show),
        Route("/pages/answer", site.take, methods=["POST"]),
        Route("/empty", site.empty),
    ]
    async with served(Starlette(routes=routes)) as url:
        yield url


async def test_a_page_without_a_form_cannot_be_answered(url: str) -> None:
    async with Browser() as browser:
        page = await browser.open(f"{url}/empty")

        with pytest.raises(NothingToPost, match="404"):
            await browser.submit(page)


async def test_untouched_a_form_posts_what_it_holds(url: str, site: Site) -> None:
    async with Browser() as browser:
        page = await browser.open(f"{url}/pages/one")
        await browser.submit(page)

    [(form, headers)] = site.heard
    assert page.words == "Refund <b>? Send"
    assert form == {"nonce": "n1", "choice": "reject"}
    assert headers["origin"] == url
    assert headers["sec-fetch-site"] == "same-origin"


async def test_what_is_typed_counts_and_the_answer_is_followed(url: str, site: Site) -> None:
    async with Browser() as browser:
        page = await browser.open(f"{url}/pages/one")
        answer = await browser.submit(page, {"choice": "approve"})

    assert site.heard[0][0] == {"nonce": "n1", "choice": "approve"}
    assert (answer.status, answer.words) == (404, "No form, bo")
