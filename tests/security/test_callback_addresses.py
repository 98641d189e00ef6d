"""Where a decision may be posted is judged when it is asked, not when it is too late."""

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from bot.application import Application
from bot.settings import Settings
from bot.web.app import create_app
from bot.wiring import running
from tests.api.desk import ASKED, WORKFLOWS, Desk, code

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/decided",
        "ftp://shop.example.com/",
        "//shop.example.com/",
        "https://",
        "https://user@shop.example.com/",
        "https://user:word@shop.example.com/",
        "https://shop.example.com@127.0.0.1/",
        "https://shop.example.com\\@127.0.0.1/",
        "https://shop.example.com:22/",
        "https://shop.example.com/ /x",
        "https://shop.example.com/\r\nHost: x",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://①②⑦.⓪.⓪.①/",
    ],
)
async def test_what_would_never_be_called_is_refused_at_once(desk: Desk, url: str) -> None:
    key = await desk.key()

    refused = await key.post("/api/approvals", {**ASKED, "callback_url": url})

    assert code(refused) in {(422, "bad_callback_url"), (422, "invalid_request")}
    assert (await key.get("/api/approvals")).json()["approvals"] == []


@pytest.mark.parametrize(
    "url", ["https://shop.example.com/x?y=1", "https://shop.example.com:443", "https://[2606:4700::1]/"]
)  # fmt: skip
async def test_the_open_internet_may_be_told(desk: Desk, url: str) -> None:
    answer = await (await desk.key()).post("/api/approvals", {**ASKED, "callback_url": url})

    assert answer.status_code == 202


async def test_what_the_operator_allows_may_be_named(application: Application) -> None:
    allowed = replace(application, callback_allow_nets=(ip_network("10.1.0.0/16"),))
    async with Desk.of(create_app(allowed), allowed) as desk:
        key = await desk.key()
        urls = ("http://10.1.2.3:8000/x", "http://inside.example/", "https://10.2.0.1/")

        answers = [await key.post("/api/approvals", {**ASKED, "callback_url": url}) for url in urls]

    assert [answer.status_code for answer in answers] == [202, 202, 422]


async def test_what_is_open_to_webhooks_is_not_to_whoever_asks(tmp_path: Path) -> None:
    settings = Settings(
        None,
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'signoff.db'}",
        config=tmp_path / "signoff.toml",
        webhook_allow_nets=(ip_network("10.1.0.0/16"),),
    )
    settings.config.write_text("", "utf-8")
    async with (
        running(settings, authored=WORKFLOWS) as it,
        Desk.of(create_app(it.application), it.application) as desk,
    ):
        key, inside = await desk.key(), "https://10.1.2.3/x"

        asked = await key.post("/api/approvals", {**ASKED, "callback_url": inside})
        start = {"workflow": "tests.pay", "input": {"order": "17"}, "notify": [inside]}
        started = await key.post("/api/runs", start)

    assert code(asked) == (422, "bad_callback_url")
    assert code(started) == (422, "bad_notify")
