"""chat.*: where messages may go, what they may hold, and who may change them."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack.standin import SlackStandIn
from tests.demo.conftest import web_client

pytestmark = pytest.mark.anyio

HERE = "C0APPROVALS"


def section(text: str, **more: object) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def error(raised: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(raised.value.response["error"])


@pytest.mark.parametrize(("token", "code"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_call_without_the_right_token_is_refused(
    slack: SlackStandIn, token: str, code: str
) -> None:
    async with web_client(slack, token) as client:
        with pytest.raises(SlackApiError) as raised:
            await client.auth_test()

    assert error(raised) == code


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        pytest.param("C0NOWHERE", "channel_not_found", id="unknown channel"),
        pytest.param("U0NOBODY", "channel_not_found", id="unknown person"),
        pytest.param("C0PUBLIC", "not_in_channel", id="public, not joined"),
        pytest.param("C0SECRET", "channel_not_found", id="private, not invited"),
        pytest.param("C0OLD", "is_archived", id="archived"),
    ],
)
async def test_some_places_cannot_be_posted_to(
    client: AsyncWebClient, channel: str, code: str
) -> None:
    with pytest.raises(SlackApiError) as raised:
        await client.chat_postMessage(channel=channel, text="hello")

    assert error(raised) == code


async def test_a_message_must_say_something(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as raised:
        await client.api_call("chat.postMessage", json={"channel": HERE})

    assert error(raised) == "no_text"


async def test_a_reply_needs_its_thread(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as raised:
        await client.chat_postMessage(channel=HERE, text="reply", thread_ts="1.000001")

    assert error(raised) == "thread_not_found"


async def test_a_person_as_channel_opens_the_direct_message(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="U0ANA", text="hello")
    again = await client.chat_postMessage(channel="U0ANA", text="hello")
    opened = await client.conversations_open(users="U0ANA")

    channel = posted["channel"]
    assert channel.startswith("D")
    assert again["channel"] == opened["channel"]["id"] == channel
    assert [message.channel for message in slack.messages("U0ANA")] == [channel, channel]


async def test_an_update_needs_the_direct_message_and_not_the_person(
    client: AsyncWebClient,
) -> None:
    posted = await client.chat_postMessage(channel="U0ANA", text="hello")

    with pytest.raises(SlackApiError) as raised:
        await client.chat_update(channel="U0ANA", ts=posted["ts"], text="changed")
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="changed")

    assert error(raised) == "channel_not_found"


async def test_only_an_own_message_that_exists_can_be_changed(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    foreign = slack.people.say("U0ANA", HERE, "my own words")

    for ts, code in (("1.000001", "message_not_found"), (foreign.ts, "cant_update_message")):
        with pytest.raises(SlackApiError) as raised:
            await client.chat_update(channel=HERE, ts=ts, text="changed")
        assert error(raised) == code


async def test_an_update_takes_4000_characters_and_not_one_more(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=HERE, text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000

    with pytest.raises(SlackApiError) as raised:
        await client.chat_update(channel=HERE, ts=posted["ts"], text="x" * 4_001)
    await client.chat_update(channel=HERE, ts=posted["ts"], text="x" * 4_000)

    assert error(raised) == "msg_too_long"


async def test_text_without_blocks_takes_the_blocks_away(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel=HERE, text="old", blocks=[section("old")])
    message = slack.messages(HERE)[-1]

    change = {"channel": HERE, "ts": posted["ts"], "blocks": [section("new")]}
    await client.api_call("chat.update", json=change)
    assert (message.text, message.blocks[0]["text"]) == ("old", section("new")["text"])
    assert message.edited_ts is None

    await client.chat_update(channel=HERE, ts=posted["ts"], text="only text")
    assert (message.text, message.blocks) == ("only text", [])
    assert len(message.revisions) == 3


async def test_a_whisper_is_seen_by_one_person_and_changed_by_nobody(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    whispered = await client.chat_postEphemeral(channel=HERE, user="U0ANA", text="psst")

    with pytest.raises(SlackApiError) as raised:
        await client.chat_update(channel=HERE, ts=whispered["message_ts"], text="changed")

    assert error(raised) == "message_not_found"
    assert [message.text for message in slack.whispers("U0ANA")] == ["psst"]
    assert slack.whispers("U0BO") == []
    assert slack.messages(HERE) == []


async def test_a_whisper_needs_somebody_who_is_there(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as raised:
        await client.chat_postEphemeral(channel="C0FEW", user="U0BO", text="psst")

    assert error(raised) == "user_not_in_channel"


async def test_history_finds_a_message_by_its_metadata(client: AsyncWebClient) -> None:
    metadata = {"event_type": "signoff", "event_payload": {"key": "k1"}}
    posted = await client.chat_postMessage(channel=HERE, text="one", metadata=metadata)
    await client.chat_postMessage(channel=HERE, text="reply", thread_ts=posted["ts"])
    await client.chat_postEphemeral(channel=HERE, user="U0ANA", text="psst")

    history = await client.conversations_history(channel=HERE, include_all_metadata=True)
    replies = await client.conversations_replies(channel=HERE, ts=posted["ts"])

    assert [found["metadata"] for found in history["messages"]] == [metadata]
    assert [found["text"] for found in replies["messages"]] == ["one", "reply"]


async def test_people_are_found_by_id_and_by_address(client: AsyncWebClient) -> None:
    found = await client.users_lookupByEmail(email="ANA@example.com")
    info = await client.users_info(user="U0ANA")

    assert found["user"] == info["user"]
    with pytest.raises(SlackApiError) as by_email:
        await client.users_lookupByEmail(email="nobody@example.com")
    with pytest.raises(SlackApiError) as by_id:
        await client.users_info(user="U0NOBODY")
    assert (error(by_email), error(by_id)) == ("users_not_found", "user_not_found")
