"""What the channel posts, edits and says, and how each of Slack's refusals is understood."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.demo.faults import Drop, Refuse, Status
from bot.demo.slack.standin import SlackStandIn
from channels.base import (
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    MessageGone,
    MessageRef,
    Notice,
    RecipientUnknown,
)
from channels.slack.channel import SlackChannel
from channels.slack.config import SlackConfig
from engine.errors import EngineError
from tests.channels.slack.cards import card, ended
from tests.channels.slack.conftest import config_of
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio

ROOM = "C0APPROVALS"
KEY = "dlv_1"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        *((code, ChannelUnavailable) for code in ("ratelimited", "rate_limited")),
        *((code, ChannelUnavailable) for code in ("internal_error", "fatal_error")),
        *((code, ChannelUnavailable) for code in ("service_unavailable", "request_timeout")),
        ("team_added_to_org", ChannelUnavailable),
        *((code, RecipientUnknown) for code in ("channel_not_found", "user_not_found")),
        *((code, ChannelRefused) for code in ("invalid_blocks", "msg_too_long", "is_archived")),
        *((code, ChannelRefused) for code in ("msg_blocks_too_long", "not_in_channel")),
        *((code, ChannelRefused) for code in ("missing_scope", "restricted_action", "whatever")),
        *((code, ChannelRefused) for code in ("messages_tab_disabled", "ekm_access_denied")),
        ("message_not_found", MessageGone),
        *((code, ChannelMisconfigured) for code in ("invalid_auth", "not_authed")),
        *((code, ChannelMisconfigured) for code in ("token_revoked", "token_expired")),
        *((code, ChannelMisconfigured) for code in ("account_inactive", "team_access_not_granted")),
    ],
)
async def test_every_refusal_of_slack_has_one_meaning(
    slack: SlackStandIn, channel: SlackChannel, error: str, kind: type[EngineError]
) -> None:
    slack.faults.add("chat.postMessage", Refuse(error=error))

    with pytest.raises(kind) as caught:
        await channel.post(card(), to=ROOM, key=KEY)

    assert type(caught.value) is kind
    assert error in str(caught.value)
    assert slack.messages() == []


@pytest.mark.parametrize("fault", [Status(code=500), Status(code=503), Status(code=200), Drop()])
async def test_an_answer_that_is_lost_is_called_unclear(
    slack: SlackStandIn, channel: SlackChannel, fault: Status | Drop
) -> None:
    slack.faults.add("chat.postMessage", fault)

    with pytest.raises(ChannelUnavailable) as caught:
        await channel.post(card(), to=ROOM, key=KEY)

    assert caught.value.ambiguous


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "{", "<html>", ""])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/html"])
async def test_an_answer_that_is_no_answer_is_called_unclear(
    slack: SlackStandIn, channel: SlackChannel, body: str, kind: str
) -> None:
    slack.faults.add("chat.postMessage", Status(code=200, body=body, media_type=kind))

    with pytest.raises(ChannelUnavailable) as caught:
        await channel.post(card(), to=ROOM, key=KEY)

    assert caught.value.ambiguous


async def test_too_many_messages_wait_as_long_as_slack_says(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.faults.add("chat.postMessage", Status(code=429, retry_after=17))

    with pytest.raises(ChannelUnavailable) as caught:
        await channel.post(card(), to=ROOM, key=KEY)

    assert caught.value.retry_after_s == 17
    assert not caught.value.ambiguous


async def test_a_slack_that_is_away_was_certainly_not_told(clock: ManualClock) -> None:
    away = SlackConfig(
        bot_token="xoxb-1", signing_secret="0" * 32, api_url="http://127.0.0.1:9/api/"
    )

    with pytest.raises(ChannelUnavailable) as caught:
        await SlackChannel(away, clock=clock).post(card(), to=ROOM, key=KEY)

    assert not caught.value.ambiguous


@pytest.mark.parametrize("to", ["", "#", "# a", "nobody", "T0DEMO/", "X0", "C0 APPROVALS", "U0/U0"])
async def test_what_is_no_address_is_refused_before_anything_is_sent(
    slack: SlackStandIn, channel: SlackChannel, to: str
) -> None:
    with pytest.raises(RecipientUnknown):
        await channel.post(card(), to=to, key=KEY)

    assert slack.api.ledger == []


async def test_a_workspace_that_is_not_served_is_refused(channel: SlackChannel) -> None:
    with pytest.raises(RecipientUnknown, match="workspace"):
        await channel.post(card(), to="T0OTHER/U0ANA", key=KEY)


async def test_nothing_is_sent_twice_by_itself(slack: SlackStandIn, channel: SlackChannel) -> None:
    slack.faults.add("chat.postMessage", Drop(done=True))

    with pytest.raises(ChannelUnavailable):
        await channel.post(card(), to=ROOM, key=KEY)

    assert len(slack.api.calls("chat.postMessage")) == 1
    assert len(slack.messages()) == 1


@pytest.mark.parametrize("to", [ROOM, "T0DEMO/U0ANA"])
async def test_an_unclear_send_is_looked_up_before_it_is_repeated(
    slack: SlackStandIn, channel: SlackChannel, to: str
) -> None:
    slack.faults.add("chat.postMessage", Drop(done=True))
    with pytest.raises(ChannelUnavailable):
        await channel.post(card(), to=to, key=KEY)

    ref = await channel.post(card(), to=to, key=KEY)

    [message] = slack.messages()
    assert ref.data["ts"] == message.ts
    assert "Approve" in message.buttons


async def test_a_send_that_did_not_arrive_is_repeated(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.faults.add("chat.postMessage", Drop(done=False))
    with pytest.raises(ChannelUnavailable):
        await channel.post(card(), to=ROOM, key=KEY)

    await channel.post(card(), to=ROOM, key=KEY)

    assert len(slack.messages()) == 1


async def test_a_successor_finds_what_a_dead_process_posted(
    slack: SlackStandIn, channel: SlackChannel, config: SlackConfig, clock: ManualClock
) -> None:
    await channel.post(card(), to=ROOM, key=KEY)
    await clock.advance(timedelta(minutes=1))

    successor = SlackChannel(config, clock=clock)
    await successor.post(card(), to=ROOM, key=KEY)
    await successor.post(card(), to=ROOM, key="dlv_2")

    assert len(slack.messages()) == 2


async def test_where_the_history_may_not_be_read_it_is_shown_once_more(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.faults.add("chat.postMessage", Drop(done=True))
    slack.faults.add("conversations.history", Refuse(error="missing_scope"))
    with pytest.raises(ChannelUnavailable):
        await channel.post(card(), to=ROOM, key=KEY)

    await channel.post(card(), to=ROOM, key=KEY)

    assert len(slack.messages()) == 2


async def test_a_direct_message_is_kept_under_its_own_conversation(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    ref = await channel.post(card(), to="T0DEMO/U0ANA", key=KEY)
    await channel.update(ended(), ref, to="T0DEMO/U0ANA", key=KEY)

    [message, _] = slack.messages("U0ANA")
    assert ref.data == {"channel": message.channel, "ts": message.ts, "team": "T0DEMO"}
    assert ref.data["channel"].startswith("D")
    assert message.buttons == []


async def test_a_name_is_a_place_too(slack: SlackStandIn, channel: SlackChannel) -> None:
    ref = await channel.post(card(), to="#approvals", key=KEY)

    assert ref.data["channel"] == ROOM
    [call] = slack.api.calls("chat.postMessage")
    assert call.args["unfurl_links"] is False
    assert call.args["unfurl_media"] is False
    assert "link_names" not in call.args
    assert "parse" not in call.args


async def test_the_card_becomes_the_outcome_and_the_thread_tells_it(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    ref = await channel.post(card(), to=ROOM, key=KEY)

    after = await channel.update(ended(), ref, to=ROOM, key="dlv_2")

    [message, reply] = slack.messages()
    assert "Approved by Ana Diaz and Bo Larsen" in message.words
    assert message.buttons == []
    assert reply.thread_ts == message.ts
    assert after.shown != ref.shown


async def test_the_same_card_again_is_not_sent_again(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    ref = await channel.post(card(), to=ROOM, key=KEY)

    again = await channel.update(replace(card(), event="approval.updated"), ref, to=ROOM, key=KEY)

    assert again == ref
    assert slack.api.calls("chat.update") == []


async def test_a_reminder_rings_in_the_thread(slack: SlackStandIn, channel: SlackChannel) -> None:
    ref = await channel.post(card(), to=ROOM, key=KEY)
    reminder = card(note="Reminder: one hour left", event="approval.reminded")

    await channel.update(reminder, ref, to=ROOM, key="dlv_2")

    [message, reply] = slack.messages()
    assert "Reminder: one hour left" in message.words
    assert (reply.text, reply.thread_ts) == ("Reminder: one hour left", message.ts)


async def test_a_deleted_message_is_gone(slack: SlackStandIn, channel: SlackChannel) -> None:
    ref = await channel.post(card(), to=ROOM, key=KEY)
    slack.messages()[0].deleted = True

    with pytest.raises(MessageGone):
        await channel.update(ended(), ref, to=ROOM, key=KEY)


async def test_a_ref_survives_being_stored(slack: SlackStandIn, channel: SlackChannel) -> None:
    ref = await channel.post(card(left_out=("iban",)), to=ROOM, key=KEY)
    stored = MessageRef(data=dict(ref.data), shown=ref.shown, left_out=ref.left_out)

    await channel.update(ended(), stored, to=ROOM, key=KEY)

    assert stored.left_out == ("iban",)
    assert slack.messages()[0].buttons == []


async def test_a_notice_is_told_with_its_link(slack: SlackStandIn, channel: SlackChannel) -> None:
    notice = Notice(title="<!here> stuck", text="Look", url="https://bot.example.com/x")

    await channel.tell(notice, to="T0DEMO/U0ANA", key=KEY)

    [message] = slack.messages("U0ANA")
    assert message.text == "&lt;!here&gt; stuck"
    assert message.buttons == ["Open"]


async def test_health_is_what_slack_says_of_the_token(
    slack: SlackStandIn, channel: SlackChannel, clock: ManualClock
) -> None:
    await channel.check_health()

    slack.faults.add("auth.test", Refuse(error="token_revoked"))
    with pytest.raises(ChannelMisconfigured, match="SIGNOFF_SLACK_BOT_TOKEN"):
        await SlackChannel(config_of(slack), clock=clock).check_health()
    elsewhere = config_of(slack, team_ids=frozenset({"T0OTHER"}))
    with pytest.raises(ChannelMisconfigured, match="T0OTHER"):
        await SlackChannel(elsewhere, clock=clock).check_health()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("bot_token", "xoxp-a-person"),
        ("bot_token", ""),
        ("signing_secret", "short"),
        ("api_url", "slack.com"),
    ],
)
async def test_what_cannot_be_right_names_its_setting(
    slack: SlackStandIn, setting: str, value: str
) -> None:
    with pytest.raises(ChannelMisconfigured, match=f"SIGNOFF_SLACK_{setting.upper()}"):
        config_of(slack, **{setting: value})


async def test_secrets_are_not_in_the_representation(config: SlackConfig) -> None:
    assert config.bot_token not in repr(config)
    assert config.signing_secret not in repr(config)


async def test_the_capabilities_are_declared(channel: SlackChannel) -> None:
    assert channel.name == "slack"
    assert channel.capabilities.edits
    assert channel.capabilities.votes
