"""What people do: signed requests with Slack's fields, three seconds to answer, and modals."""

from datetime import timedelta

import anyio
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from bot.demo.slack.interactions import TROUBLE, NothingThere
from bot.demo.slack.messages import Message
from bot.demo.slack.standin import SlackStandIn
from bot.demo.trees import Record, record, records, text
from tests.clock import ManualClock
from tests.demo.conftest import App
from tests.demo.test_slack_blocks import actions, asking, button, modal, plain

pytestmark = pytest.mark.anyio

HERE = "C0APPROVALS"


class At(Clock):
    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    @override
    def now(self) -> float:
        return self._clock.now().timestamp()


async def card(slack: SlackStandIn, client: AsyncWebClient, channel: str = HERE) -> Message:
    press = button(text=plain("Approve"), action_id="signoff:approve", value="ref")
    blocks = [actions(press, block_id="signoff:votes")]
    await client.chat_postMessage(channel=channel, text="Refund?", blocks=blocks)
    return slack.messages(channel)[-1]


async def test_what_cannot_be_seen_cannot_be_pressed(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    message = await card(slack, client, "C0FEW")

    with pytest.raises(NothingThere):
        await slack.people.press("U0BO", message, "Approve")
    with pytest.raises(NothingThere, match="Approve"):
        await slack.people.press("U0ANA", message, "Reject")
    assert slack.line.sent == []


async def test_a_press_is_signed_and_carries_what_slack_sends(
    slack: SlackStandIn, client: AsyncWebClient, app: App, clock: ManualClock
) -> None:
    message = await card(slack, client)

    heard = await slack.people.press("U0ANA", message, "Approve")

    headers, body = app.heard[-1]
    assert SignatureVerifier("8f7422", At(clock)).is_valid_request(body, headers)
    assert (heard.status, heard.error) == (200, None)
    payload = app.payload
    assert payload["type"] == "block_actions"
    assert payload["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": HERE,
        "is_ephemeral": False,
    }
    assert text(payload, "team", "id") == "T0DEMO"
    assert text(payload, "user", "id") == "U0ANA"
    assert text(payload, "message", "ts") == message.ts
    (action,) = records(payload["actions"])
    assert (action["action_id"], action["value"]) == ("signoff:approve", "ref")
    assert action["block_id"] == "signoff:votes"


async def test_a_whispers_payload_has_no_message(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await client.chat_postEphemeral(
        channel=HERE, user="U0ANA", text="psst", blocks=[actions(button())]
    )

    await slack.people.press("U0ANA", slack.whispers("U0ANA")[0], "go")

    assert "message" not in app.payload
    assert record(app.payload["container"])["is_ephemeral"] is True


async def test_an_app_that_needs_more_than_three_seconds_has_failed(
    slack: SlackStandIn, client: AsyncWebClient, app: App, clock: ManualClock
) -> None:
    arrived = anyio.Event()

    async def hang(_: Request) -> Response:
        arrived.set()
        await anyio.sleep_forever()
        return Response()

    app.answer = hang
    message = await card(slack, client)
    errors: list[str | None] = []

    async def press() -> None:
        errors.append((await slack.people.press("U0ANA", message, "Approve")).error)

    async with anyio.create_task_group() as group:
        group.start_soon(press)
        await arrived.wait()
        await clock.advance(timedelta(seconds=3))

    assert errors == ["operation_timeout"]
    assert "operation_timeout" in slack.space.notices["U0ANA"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, "http_client_error"), (500, "http_service_error"), (302, "http_redirect_error")],
)
async def test_an_answer_that_is_not_200_is_shown_as_an_error(
    slack: SlackStandIn, app: App, status: int, error: str
) -> None:
    app.answer = Response(status_code=status)

    heard = await slack.people.command("U0ANA", "/approvals list", channel=HERE)

    assert heard.error == error
    assert error in slack.space.notices["U0ANA"]


async def test_nobody_at_home_is_a_failed_dispatch(slack: SlackStandIn) -> None:
    slack.app_at("http://127.0.0.1:9/slack/events")

    heard = await slack.people.command("U0ANA", "/approvals", channel=HERE)

    assert (heard.status, heard.error) == (0, "dispatch_failed")


async def test_a_command_is_escaped_and_its_answer_whispered(slack: SlackStandIn, app: App) -> None:
    app.will_answer({"text": "Nothing waits for you."})

    await slack.people.command("U0ANA", "/approvals delegate @bo <now>", channel=HERE)

    assert app.form["command"] == "/approvals"
    assert app.form["text"] == "delegate <@U0BO|bo> &lt;now&gt;"
    assert {"api_app_id", "team_id", "trigger_id", "response_url"} <= app.form.keys()
    assert [found.text for found in slack.whispers("U0ANA")] == ["Nothing waits for you."]
    with pytest.raises(NothingThere):
        await slack.people.command("U0ANA", "/unknown", channel=HERE)


async def open_modal(
    slack: SlackStandIn, client: AsyncWebClient, app: App, view: Record | None = None
) -> str:
    await slack.people.command("U0ANA", "/approvals", channel=HERE)
    trigger = app.form["trigger_id"]
    await client.views_open(trigger_id=trigger, view=view or modal())
    return trigger


async def test_a_trigger_opens_one_modal_within_three_seconds(
    slack: SlackStandIn, client: AsyncWebClient, app: App, clock: ManualClock
) -> None:
    used = await open_modal(slack, client, app)
    await slack.people.command("U0ANA", "/approvals", channel=HERE)
    late = app.form["trigger_id"]
    await clock.advance(timedelta(seconds=3, milliseconds=1))
    errors: list[str] = []

    for trigger in (used, late, "1.2.made-up"):
        with pytest.raises(SlackApiError) as raised:
            await client.views_open(trigger_id=trigger, view=modal())
        errors.append(raised.value.response["error"])

    assert errors == ["exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id"]


async def test_a_bad_view_does_not_use_up_its_trigger(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await slack.people.command("U0ANA", "/approvals", channel=HERE)
    trigger = app.form["trigger_id"]

    with pytest.raises(SlackApiError) as raised:
        await client.views_open(trigger_id=trigger, view=modal(title=plain("x" * 25)))
    await client.views_open(trigger_id=trigger, view=modal())

    assert raised.value.response["error"] == "invalid_arguments"
    assert "/view/title/text" in str(raised.value.response["response_metadata"])


async def test_slacks_client_holds_back_what_is_incomplete(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await open_modal(slack, client, app, modal(blocks=[asking(min_length=5)]))
    sent = len(app.heard)

    empty = await slack.people.submit("U0ANA")
    short = await slack.people.submit("U0ANA", {"Why": "no"})

    assert empty.errors == {"why": "Please complete this required field."}
    assert short.errors == {"why": "Please enter at least 5 characters."}
    assert (empty.accepted, len(app.heard)) == (False, sent)


async def test_an_objection_stands_next_to_its_field_and_the_modal_stays(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await open_modal(slack, client, app)
    app.will_answer({"response_action": "errors", "errors": {"why": "Say more."}})

    submitted = await slack.people.submit("U0ANA", {"why": "because"})

    view = await slack.modal("U0ANA")
    assert submitted.errors == view.errors == {"why": "Say more."}
    values = record(record(record(app.payload["view"])["state"])["values"])
    assert values == {"why": {"why": {"type": "plain_text_input", "value": "because"}}}


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"unknown": "Say more."}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"text": "not an answer to a submit"},
    ],
)
async def test_an_answer_that_makes_no_sense_is_trouble(
    slack: SlackStandIn, client: AsyncWebClient, app: App, answer: Record
) -> None:
    await open_modal(slack, client, app)
    app.will_answer(answer)

    await slack.people.submit("U0ANA", {"why": "because"})

    assert (await slack.modal("U0ANA")).trouble == TROUBLE


async def test_an_empty_answer_closes_the_modal_and_others_change_it(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await open_modal(slack, client, app)
    app.will_answer({"response_action": "update", "view": modal(title=plain("Second"))})

    await slack.people.submit("U0ANA", {"why": "because"})
    assert (await slack.modal("U0ANA")).title == "Second"

    app.answer = Response()
    await slack.people.submit("U0ANA", {"why": "because"})
    assert slack.space.views.top("U0ANA") is None


async def test_a_stale_hash_changes_no_view(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await open_modal(slack, client, app)
    view = await slack.modal("U0ANA")
    stale = view.hash
    await client.views_update(view_id=view.id, hash=stale, view=modal(title=plain("New")))

    with pytest.raises(SlackApiError) as raised:
        await client.views_update(view_id=view.id, hash=stale, view=modal())

    assert raised.value.response["error"] == "hash_conflict"
    assert view.title == "New"


async def test_three_modals_stack_and_a_fourth_does_not(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await open_modal(slack, client, app)
    view = modal(blocks=[asking(), actions(button())])
    await client.views_update(view_id=(await slack.modal("U0ANA")).id, view=view)

    for _ in range(2):
        await slack.people.press_in_view("U0ANA", "go")
        await client.views_push(trigger_id=text(app.payload, "trigger_id"), view=view)
    await slack.people.press_in_view("U0ANA", "go")
    with pytest.raises(SlackApiError) as raised:
        await client.views_push(trigger_id=text(app.payload, "trigger_id"), view=view)

    assert raised.value.response["error"] == "push_limit_reached"
    assert record(app.payload["container"])["type"] == "view"
    assert "channel" not in app.payload


async def test_an_app_that_asked_hears_of_a_closed_modal(
    slack: SlackStandIn, client: AsyncWebClient, app: App
) -> None:
    await open_modal(slack, client, app, modal(notify_on_close=True))

    await slack.people.dismiss("U0ANA")

    assert (app.payload["type"], app.payload["is_cleared"]) == ("view_closed", False)
