"""A refusal in a browser says what to do next, and leads on."""

import pytest

from bot.web.problems import Problem
from tests.api.desk import ANA
from tests.web.site import Site

pytestmark = pytest.mark.anyio
ACCEPT = {"accept": "text/html"}


@pytest.mark.parametrize("status", [403, 404, 405, 409, 413, 422, 429, 500, 503])
def test_every_page_of_a_refusal_has_a_hint_and_a_way_on(status: int) -> None:
    problem = Problem(status=status, code="code", detail="What went wrong.")

    assert str(problem.on_a_page()["hint"]).endswith(".")
    assert "hint" not in problem.to_json()
    assert problem.way_on["url"] == "/"


async def test_a_stranger_at_a_wrong_address_is_led_to_the_start(site: Site) -> None:
    answer = await site.stranger.get("/nothing/here", **ACCEPT)

    assert answer.status_code == 404
    assert "Look whether the address is whole" in answer.text
    assert 'href="/">Go to the start page</a>' in answer.text


async def test_whoever_is_no_operator_is_told_so_in_words(site: Site) -> None:
    async with site.browser(ANA) as ana:
        answer = await ana.get("/kill-switch", **ACCEPT)

    assert answer.status_code == 403
    assert "Only operators may do this." in answer.text
    assert "needs the scope" not in answer.text
    assert 'href="/approvals">Open the inbox</a>' in answer.text
