"""What a hostile page can make a browser send changes nothing and shows nothing."""

import pytest

from tests.api.desk import ANA, ASKED, Desk, code

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:8080"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", ""])
async def test_a_name_that_leads_here_opens_no_numbers(desk: Desk, host: str) -> None:
    refused = await desk.stranger.get("/metrics", headers={"host": host})

    assert code(refused) == (401, "not_signed_in")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
async def test_this_machine_reads_its_numbers(desk: Desk, host: str) -> None:
    assert (await desk.stranger.get("/metrics", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        pytest.param({}, "cross_site", id="nothing says where from"),
        pytest.param({"origin": "null"}, "cross_site", id="a sandbox"),
        pytest.param({"origin": "https://evil.example"}, "cross_site", id="another site"),
        pytest.param({"origin": "http://evil.example", "host": "evil.example"}, "cross_site", id="rebinding"),
        pytest.param({"origin": HERE, "sec-fetch-site": "cross-site"}, "cross_site", id="both"),
        pytest.param({"origin": "http://127.0.0.1:9000"}, "cross_site", id="another port"),
        pytest.param({"origin": HERE, "content-type": "text/plain"}, "unsupported_media_type", id="a simple request"),
    ],
)  # fmt: skip
async def test_a_cookie_alone_votes_for_nobody(
    desk: Desk, headers: dict[str, str], refusal: str
) -> None:
    key, cookie = await desk.key(), await desk.cookie(ANA)
    asked = (await key.post("/api/approvals", ASKED)).json()
    body = f'{{"choice": "approve", "digest": "{asked["digest"]}"}}'

    refused = await desk.stranger.post(
        f"{asked['status_url']}/votes",
        content=body,
        headers={"content-type": "application/json", **cookie, **headers},
    )

    assert code(refused)[1] == refusal
    assert (await key.get(asked["status_url"])).json()["votes"] == []
