"""Signing in from a terminal: a stranger learns nothing, and a link is not enough."""

import json

import pytest
from sqlalchemy import select

from bot.application import Application
from engine.services import sign_ins
from engine.services.keys import Scope
from engine.store.tables import outbox
from tests.api.desk import ANA, DANA, Desk, Known, code
from tests.api.media import Quiet

pytestmark = pytest.mark.anyio


@pytest.fixture
def channels() -> dict[str, Quiet]:
    return {"email": Quiet("email")}


@pytest.mark.parametrize(
    "body",
    [{}, {"person": "ana", "email": "ana@example.com"}, {"who": "ana"}, {"email": 1}],
)
async def test_one_person_is_named(desk: Desk, body: dict[str, object]) -> None:
    assert code(await desk.stranger.post("/api/sign-ins", json=body)) == (422, "invalid_request")


async def test_a_stranger_is_told_the_same_as_everybody(desk: Desk) -> None:
    known = await desk.stranger.post("/api/sign-ins", json={"person": "ana"})
    unknown = await desk.stranger.post("/api/sign-ins", json={"email": "eve@example.com"})

    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()
    assert [len(await mails(desk.application)), code_like(unknown.json()["code"])] == [1, True]
    device = {"device": unknown.json()["device"]}
    polled = await desk.stranger.post("/api/sign-ins/poll", json=device)
    assert (polled.status_code, polled.json()) == (202, {"status": "pending"})


async def test_asking_for_links_runs_out(desk: Desk) -> None:
    answers = [
        (await desk.stranger.post("/api/sign-ins", json={"person": "ana"})).status_code
        for _ in range(11)
    ]

    assert answers == [201] * 10 + [429]
    assert len(await mails(desk.application)) == 5


async def test_a_terminal_that_waits_does_not_fill_the_log_around_its_link(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = (await desk.stranger.post("/api/sign-ins", json={"person": "person:ana"})).json()

    await desk.stranger.post("/api/sign-ins/poll", json={"device": begun["device"]})

    told = capsys.readouterr().out
    assert ("path='/api/sign-ins'" in told, "sign-ins/poll" in told) == (True, False)


async def test_the_terminal_collects_its_session_once(desk: Desk) -> None:
    begun = (await desk.stranger.post("/api/sign-ins", json={"person": "person:ana"})).json()
    device = {"device": begun["device"]}
    before = await desk.stranger.post("/api/sign-ins/poll", json=device)
    mail = (await mails(desk.application))[0]
    token = str(mail["path"]).rpartition("/")[2]
    await desk.application.database.write(lambda tx: sign_ins.confirm(tx, token))

    collected = await desk.stranger.post("/api/sign-ins/poll", json=device)
    again = await desk.stranger.post("/api/sign-ins/poll", json=device)

    assert (before.status_code, again.status_code) == (202, 202)
    assert begun["code"] in str(mail["title"])
    ana = Known(client=desk.stranger, token=collected.json()["token"])
    me = (await ana.get("/api/me")).json()
    assert (me["person"], me["kind"], me["scopes"]) == ("ana", "person", ["read"])
    assert me["expires_at"] == collected.json()["expires_at"]


async def test_signing_out_ends_the_session(desk: Desk) -> None:
    ana, key = await desk.person(ANA), await desk.key(Scope.READ)

    assert (await ana.send("DELETE", "/api/session")).status_code == 204
    assert code(await ana.get("/api/me")) == (401, "bad_session")
    assert (await key.send("DELETE", "/api/session")).status_code == 204
    assert (await key.get("/api/me")).json()["kind"] == "key"


async def test_an_operator_and_this_machine_may_do_everything(desk: Desk) -> None:
    dana = await desk.person(DANA)

    assert (await dana.get("/api/me")).json()["scopes"] == sorted(Scope)
    assert (await desk.local.get("/api/me")).json()["kind"] == "local"


async def mails(application: Application) -> list[dict[str, object]]:
    query = select(outbox.c.payload).where(outbox.c.event == "sign_in.asked")
    found = await application.database.read(lambda tx: list(tx.connection.execute(query).scalars()))
    return [json.loads(payload) for payload in found]


def code_like(text: str) -> bool:
    return len(text) == 9 and text[4] == "-"
