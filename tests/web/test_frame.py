"""What every answer has in common: its shape, its headers, its cap, and what it never tells."""

from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from bot.application import Application
from bot.web.app import create_app
from bot.web.callers import CurrentCaller, OnlyFromHere, Reader
from bot.web.middleware import BODY_BYTES_MAX, shown_path
from bot.web.reading import StrictRoute
from engine.errors import Fault, Unavailable
from engine.services.keys import Scope
from tests.api.conftest import application, channels, webhooks
from tests.api.desk import ANA, Desk, code

__all__ = ["application", "channels", "webhooks"]

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}


class Said(BaseModel):
    """A body with one word."""

    word: str


router = APIRouter(route_class=StrictRoute)


@router.post("/api/words")
async def say(caller: CurrentCaller, said: Said) -> dict[str, str]:
    """Repeat a word."""
    return {"word": said.word, "by": caller.name}


@router.get("/api/breaks")
async def breaks(how: str, _caller: Reader) -> None:
    """Break in one of several ways."""
    failures = {
        "fault": Fault("A promise was broken."),
        "away": Unavailable("Not now."),
        "unforeseen": RuntimeError("the password is hunter2"),
    }
    raise failures[how]


@router.post("/forms", dependencies=[OnlyFromHere])
async def form() -> dict[str, str]:
    """Take a form from a stranger."""
    return {}


@pytest.fixture
async def desk(application: Application) -> AsyncIterator[Desk]:
    app = create_app(application)
    app.include_router(router)
    async with Desk.of(app, application) as desk:
        yield desk


async def test_a_stranger_is_told_to_sign_in_and_nothing_about_the_body(desk: Desk) -> None:
    response = await desk.stranger.post("/api/words", content=b"{", headers=JSON)

    assert code(response) == (401, "not_signed_in")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "invalid_request"),
        (b"{", "bad_json"),
        (b'{"word": "a", "word": "b"}', "bad_json"),
        (b'{"word": NaN}', "bad_json"),
        (b'{"word": "\\ud800"}', "bad_json"),
        (b'{"word": "\xff"}', "bad_json"),
        (b"[" * 40 + b"]" * 40, "bad_json"),
        (b"{" + b",".join(b'"%d": 1' % n for n in range(1001)) + b"}", "bad_json"),
        (b"[]", "invalid_request"),
        (b'{"word": 1}', "invalid_request"),
    ],
)
async def test_a_body_has_one_meaning_or_none(desk: Desk, body: bytes, expected: str) -> None:
    key = await desk.key()

    response = await desk.stranger.post(
        "/api/words", content=body, headers={**JSON, "authorization": f"Bearer {key.token}"}
    )

    assert code(response) == (422, expected)


@pytest.mark.parametrize("said", ["text/plain", "application/xml", "application/json; charset=x"])
async def test_a_body_of_another_type_is_refused(desk: Desk, said: str) -> None:
    key = await desk.key()
    headers = {"authorization": f"Bearer {key.token}", "content-type": said}

    response = await desk.stranger.post("/api/words", content=b'{"word": "a"}', headers=headers)

    assert code(response) == (415, "unsupported_media_type")


async def test_a_refusal_names_the_field_and_never_repeats_what_was_sent(desk: Desk) -> None:
    key = await desk.key()

    response = await key.post("/api/words", {"word": ["secret"]})

    assert response.json()["detail"].startswith("body.word: ")
    assert "secret" not in response.text


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_over_the_cap_is_refused(desk: Desk, is_chunked: bool) -> None:
    key = await desk.key()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_BYTES_MAX // 65536 + 1):
            yield b" " * 65536

    response = await desk.stranger.post(
        "/api/words",
        content=pieces() if is_chunked else b" " * (BODY_BYTES_MAX + 1),
        headers={**JSON, "authorization": f"Bearer {key.token}"},
    )

    assert code(response) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/nothing", (404, "not_found")),
        ("DELETE", "/api/words", (405, "method_not_allowed")),
        ("GET", "/static/../app.py", (404, "not_found")),
    ],
)
async def test_the_framework_refuses_in_the_same_shape(
    desk: Desk, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert code(await desk.stranger.request(method, path)) == expected


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("fault", (500, "fault")),
        ("away", (503, "unavailable")),
        ("unforeseen", (500, "unexpected")),
    ],
)
async def test_what_breaks_is_told_with_a_code_and_no_trace(
    desk: Desk, how: str, expected: tuple[int, str]
) -> None:
    key = await desk.key()

    response = await key.get(f"/api/breaks?how={how}")

    assert code(response) == expected
    assert "hunter2" not in response.text
    assert (how == "unforeseen") == (response.headers["x-request-id"] in response.text)
    assert (how == "away") == ("retry-after" in response.headers)


async def test_a_key_without_the_scope_is_refused(desk: Desk) -> None:
    key = await desk.key(Scope.RUNS_START)

    assert code(await key.get("/api/breaks?how=fault")) == (403, "missing_scope")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8080"},
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:9999"},
        {"origin": "http://evil.example:8080", "host": "evil.example:8080"},
        {"origin": "http://[", "host": "["},
    ],
)
async def test_a_cookie_alone_proves_nothing(desk: Desk, headers: dict[str, str]) -> None:
    cookie = await desk.cookie(ANA)

    posted = await desk.stranger.post(
        "/api/words", json={"word": "a"}, headers={**cookie, **headers}
    )
    form = await desk.stranger.post("/forms", headers=headers)

    assert code(posted) == (403, "cross_site")
    assert code(form) == (403, "cross_site")


async def test_a_terminals_session_is_no_cookie_and_a_cookie_no_bearer(desk: Desk) -> None:
    terminal = await desk.person(ANA)
    cookie = (await desk.cookie(ANA))["cookie"].partition("=")[2]

    as_cookie = await desk.stranger.get(
        "/api/breaks?how=away", headers={"cookie": f"signoff={terminal.token}"}
    )
    as_bearer = await desk.stranger.get(
        "/api/breaks?how=away", headers={"authorization": f"Bearer {cookie}"}
    )

    assert code(as_cookie) == (401, "not_signed_in")
    assert code(as_bearer) == (401, "bad_session")


async def test_wrong_keys_run_out_and_right_ones_do_not(desk: Desk) -> None:
    key = await desk.key()
    headers = {"authorization": "Bearer sk_0_wrong"}

    answers = [
        code(await desk.stranger.get("/api/breaks?how=away", headers=headers)) for _ in range(11)
    ]

    assert answers == [(401, "bad_key")] * 10 + [(429, "too_many_tries")]
    assert code(await key.get("/api/breaks?how=away")) == (503, "unavailable")


async def test_every_answer_has_the_headers_that_keep_it_to_us(desk: Desk) -> None:
    for path in ("/docs", "/api/nothing", "/openapi.json"):
        headers = (await desk.stranger.get(path)).headers

        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers


async def test_a_browser_gets_a_page_and_a_program_a_problem(desk: Desk) -> None:
    html = {"accept": "text/html"}

    page = await desk.stranger.get("/nothing", headers=html)

    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is nothing at this address." in page.text
    assert code(await desk.stranger.get("/api/nothing", headers=html)) == (404, "not_found")


async def test_files_are_kept_by_their_version(desk: Desk) -> None:
    versioned = await desk.stranger.get("/static/signoff.css?v=0")
    plain = await desk.stranger.get("/static/signoff.css")

    assert "immutable" in versioned.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"


async def test_a_cookie_from_our_own_page_counts(desk: Desk) -> None:
    headers = {**await desk.cookie(ANA), "sec-fetch-site": "same-origin"}

    response = await desk.stranger.post("/api/words", json={"word": "a"}, headers=headers)

    assert response.json() == {"word": "a", "by": "Ana Diaz"}


async def test_the_local_socket_needs_no_key(desk: Desk) -> None:
    response = await desk.local.post("/api/words", json={"word": "a"})

    assert response.json() == {"word": "a", "by": "This machine"}


def test_what_opens_something_is_not_logged() -> None:
    assert shown_path("/respond/s3cret") == "/respond/…"
    assert shown_path("/sign-in/s3cret/x") == "/sign-in/…"
    assert shown_path("/runs/run_1") == "/runs/run_1"
