"""Whatever is sent to the address, only Slack's own requests do anything, and none is a 500."""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.demo.outgoing import Sent
from bot.demo.slack.signing import FORM, JSON, payload_of
from bot.demo.slack.standin import SlackStandIn
from channels.slack import limits
from engine.http import plain_client
from engine.store.sqlite import SqliteDatabase
from tests.channels.slack.conftest import config_of
from tests.channels.slack.scene import ANA, Scene, scene
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

WRONG: Sequence[object] = ([], {}, 7, 1.5, True, None, "", "x" * 5_000, [[]], "\u0000", "\ud800")


def form_of(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


async def press(told: Scene) -> Sent:
    """An honest press, not sent yet for anybody who counts."""
    _, message = await told.posted()
    return (await told.slack.people.press("U0DEE", message, "Approve")).sent


def header_mutants(sent: Sent) -> Iterator[list[tuple[bytes, bytes]]]:
    """The headers of `sent` in every spelling that is not Slack's."""
    time, signature = (
        sent.headers[name].encode() for name in ("X-Slack-Request-Timestamp", "X-Slack-Signature")
    )
    rest = [(b"Content-Type", FORM.encode())]
    of_time, of_signature = b"X-Slack-Request-Timestamp", b"X-Slack-Signature"
    times = [
        b"",
        b"0",
        b"-1",
        b"+" + time,
        time + b".0",
        b"1e9",
        b"NaN",
        b"inf",
        b"0x1",
        b"9" * 400,
    ]
    times += [
        time + b"x",
        b"x" + time,
        time[:-1],
        time + b"0",
        b"\xff",
        b"\xc3\xa9",
        time + b"\xb2",
    ]
    times += [b"1_768_478_400", b"1 768", b"null", b"[]", b"{}", b"%s", b"'", b'"', b"\xd9\xa1"]
    times += [str(int(time) + moved).encode() for moved in (-301, 301, -86_400, 86_400, 10**9)]
    signatures = [b"", b"v0", b"v0=", b"v1=" + signature[3:], signature[3:], signature.upper()]
    signatures += [signature[:cut] for cut in range(1, len(signature), 3)]
    signatures += [signature + more for more in (b"0", b"=", b",", b"\xff", b" v0=", b"\xc3\xa9")]
    signatures += [b"v0=" + char * 64 for char in (b"0", b"g", b"\xe9", b"-", b"\xd9\xa0")]
    signatures += [
        signature[:at] + (b"0" if signature[at : at + 1] != b"0" else b"1") + signature[at + 1 :]
        for at in range(3, len(signature))
    ]
    yield from ([*rest, (of_time, value), (of_signature, signature)] for value in times)
    yield from ([*rest, (of_time, time), (of_signature, value)] for value in signatures)
    yield [*rest, (of_time, time)]
    yield [*rest, (of_signature, signature)]
    yield rest
    yield [*rest, (of_time, time), (of_time, time), (of_signature, signature)]
    yield [*rest, (of_time, time), (of_signature, signature), (of_signature, signature)]
    yield [*rest, (of_time, time), (of_signature, b"v0=" + b"0" * 64), (of_signature, signature)]


def set_at(tree: Any, path: Sequence[str | int], value: object) -> Any:
    """A copy of `tree` with `value` at `path`."""
    copy = deepcopy(tree)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


def payload_mutants(payload: Any) -> Iterator[bytes]:
    """Signed nonsense, made from an honest press."""
    needed: Sequence[Sequence[str | int]] = [
        ["type"], ["user"], ["user", "id"], ["actions"], ["actions", 0],
        ["actions", 0, "action_id"], ["actions", 0, "type"],
    ]  # fmt: skip
    for path in needed:
        bad = [value for value in WRONG if not (path[-1] in {"action_id", "type"} and value == "")]
        yield from (form_of(set_at(payload, path, value)) for value in bad if value != "\u0000")
    for path in (["team"], ["channel"]):
        yield from (form_of(set_at(payload, path, value)) for value in WRONG if value is not None)
    for text in (
        "",
        "null",
        "[]",
        "7",
        '"x"',
        "{",
        "{}",
        "[" * 100_000,
        '{"type":"block_actions"}',
    ):
        yield urlencode({"payload": text}).encode()
    yield b"payload=%ff%fe"
    yield b"payload=%7B%22type%22%3A%22\xff%22%7D"
    yield b"\xff\xfe\x00"
    yield b"payload=a&payload=b"
    yield b"payload"
    yield b""
    yield b"&" * 1_000
    yield b"a=1&" * 100
    yield b"command=%2Fapprovals"
    yield b"command=%2Fapprovals&user_id=u-lower&team_id=T0DEMO"


async def test_two_hundred_spoiled_headers_are_all_one_answer(told: Scene) -> None:
    sent = await press(told)

    answers = set()
    mutants = list(header_mutants(sent))
    async with plain_client() as client:
        for headers in mutants:
            answer = await client.post(sent.url, content=sent.body, headers=headers)
            answers.add((answer.status_code, answer.text))

    assert len(mutants) >= 120
    assert answers == {(401, '{"error":"invalid request"}')}


async def test_a_hundred_signed_pieces_of_nonsense_are_refused(told: Scene) -> None:
    payload = payload_of(await press(told))
    mutants = list(payload_mutants(payload))

    taken = [
        (heard.status, body[:300])
        for body in mutants
        if (heard := await told.slack.line.send(told.signed(body))).status not in {400, 401}
    ]

    assert len(mutants) >= 100
    assert taken == []


async def test_odd_values_where_nothing_is_needed_do_nothing(told: Scene) -> None:
    asked, message = await told.posted()
    sent = (await told.slack.people.press("U0DEE", message, "Approve")).sent
    ana = {**payload_of(sent), "user": {"id": ANA, "team_id": "T0DEMO"}}
    payload = set_at(ana, ["actions", 0, "value"], "x")
    optional: Sequence[Sequence[str | int]] = [
        ["trigger_id"], ["response_url"], ["enterprise"], ["message"], ["container"], ["state"],
        ["api_app_id"], ["actions", 0, "value"], ["actions", 0, "selected_option"], ["user", "team_id"],
    ]  # fmt: skip

    statuses = {
        (await told.slack.line.send(told.signed(form_of(set_at(payload, path, value))))).status
        for path in optional
        for value in WRONG
    }

    assert statuses <= {200, 400, 401}
    assert await told.said(asked) == []


@pytest.mark.parametrize("size", [limits.BODY_BYTES + 1, 4 * limits.BODY_BYTES])
async def test_a_body_that_is_too_large_is_not_read(told: Scene, size: int) -> None:
    heard = await told.slack.line.send(told.signed(b"x" * size))

    assert heard.status == 413


@pytest.mark.parametrize(
    "kind",
    [
        *("", "text/plain", "multipart/form-data; boundary=x", "application/xml"),
        *(f"{FORM}, {JSON}", f"{FORM}; charset=utf-16", f"{JSON}x", f"{JSON}; charset=latin-1"),
    ],
)
async def test_another_kind_of_body_is_not_read(told: Scene, kind: str) -> None:
    sent = await press(told)

    heard = await told.slack.line.send(told.slack.forger.with_headers(sent, {"Content-Type": kind}))

    assert heard.status == 415


async def test_a_workspace_that_is_not_served_is_refused_and_on_record(told: Scene) -> None:
    sent = await press(told)
    forger = told.slack.forger
    foreign = [
        forger.other_team(sent),
        forger.changed(sent, team=None),
        forger.changed(sent, team=None, enterprise={"id": "E0OTHER"}),
        forger.changed(sent, api_app_id="A0OTHER"),
        forger.changed(sent, api_app_id=None),
    ]

    heard = [await told.slack.line.send(request) for request in foreign]

    assert {(answer.status, answer.body) for answer in heard} == {
        (401, b'{"error":"invalid request"}')
    }
    refused = await told.on_record("vote.refused")
    assert len([row for row in refused if "foreign_workspace" in str(row["data"])]) == 5


async def test_an_organisation_may_be_served(
    slack: SlackStandIn, database: SqliteDatabase, clock: ManualClock
) -> None:
    config = config_of(slack, team_ids=frozenset({"E0ORG"}))
    async with scene(slack, config, database=database, clock=clock) as told:
        sent = await press(told)

        heard = await slack.line.send(
            slack.forger.changed(sent, team=None, enterprise={"id": "E0ORG"})
        )

        assert heard.status == 200


async def test_without_a_list_only_the_workspace_of_the_token_is_served(
    slack: SlackStandIn, database: SqliteDatabase, clock: ManualClock
) -> None:
    config = config_of(slack, team_ids=frozenset(), app_id=None)
    async with scene(slack, config, database=database, clock=clock) as told:
        sent = await press(told)

        assert (await slack.line.send(slack.forger.other_team(sent))).status == 401
        assert (await slack.line.send(slack.forger.changed(sent, x=1))).status == 200
        assert len(slack.api.calls("auth.test")) == 1


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_an_old_or_early_request_is_refused(told: Scene, seconds: int) -> None:
    sent = await press(told)

    stale = told.slack.forger.stale(sent, by=timedelta(seconds=seconds))

    assert (await told.slack.line.send(stale)).status == 401


async def test_forged_tampered_and_unsigned_are_refused(told: Scene) -> None:
    sent = await press(told)
    forger = told.slack.forger

    for request in (forger.forged(sent), forger.tampered(sent), forger.unsigned(sent)):
        assert (await told.slack.line.send(request)).status == 401


@pytest.mark.parametrize("moved", [0, 299, 300])
async def test_a_repeat_within_the_window_does_nothing_even_after_a_restart(
    slack: SlackStandIn, database: SqliteDatabase, clock: ManualClock, moved: int
) -> None:
    async with scene(slack, config_of(slack), database=database, clock=clock) as told:
        asked, message = await told.posted()
        sent = (await slack.people.press(ANA, message, "Approve")).sent
        await told.whisper(ANA)
    await clock.advance(timedelta(seconds=moved))

    async with scene(slack, config_of(slack), database=database, clock=clock) as told:
        again = Sent(url=slack.line.url, body=sent.body, headers=sent.headers)
        assert (await slack.line.send(again)).status == 200
        assert await told.said(asked) == [("ana", "approve", None)]
        assert len(slack.whispers(ANA)) == 1


async def test_slack_may_check_the_certificate_unsigned(told: Scene) -> None:
    url = told.slack.line.url
    headers = {"Content-Type": FORM}

    check = await told.slack.line.send(Sent(url=url, body=b"ssl_check=1&token=x", headers=headers))
    more = Sent(url=url, body=b"ssl_check=1&command=%2Fapprovals&user_id=U0ANA", headers=headers)

    assert (check.status, check.body) == (200, b"")
    assert (await told.slack.line.send(more)).status == 401


async def test_the_handshake_is_answered_once_it_is_verified(told: Scene) -> None:
    heard = await told.slack.people.verify_url("abc")
    unsigned = await told.slack.line.send(told.slack.forger.unsigned(heard.sent))

    assert (heard.status, heard.json) == (200, {"challenge": "abc"})
    assert unsigned.status == 401


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked", "app_home_opened", "x"])
async def test_events_are_received(told: Scene, kind: str) -> None:
    heard = await told.slack.people.event({"type": kind, "tokens": {"bot": ["U0"]}})

    assert heard.status == 200


@pytest.mark.parametrize("kind", ["view_closed", "shortcut", "message_action", "block_suggestion"])
async def test_other_interactions_are_acknowledged(told: Scene, kind: str) -> None:
    sent = await press(told)

    heard = await told.slack.line.send(told.slack.forger.changed(sent, type=kind))

    assert (heard.status, heard.body) == (200, b"")


async def test_no_secret_and_no_address_of_an_answer_is_logged(
    told: Scene, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    sent = await press(told)
    await told.whisper("U0DEE")
    await told.slack.line.send(told.slack.forger.forged(sent))
    await told.slack.line.send(told.signed(b"payload=%5B"))

    ours = [record for record in caplog.records if record.name.startswith(("signoff", "slack"))]
    logged = capsys.readouterr().out + "\n".join(record.getMessage() for record in ours)

    url = str(payload_of(sent)["response_url"])
    for hidden in (
        url.rpartition("/")[2],
        told.slack.house.signing_secret,
        told.slack.house.bot_token,
        "Traceback",
    ):
        assert hidden not in logged
    assert "slack.request_refused" in logged
