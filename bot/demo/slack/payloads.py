"""The payloads of what people do, field by field as Slack sends them."""

from dataclasses import dataclass
from typing import Final

from bot.demo.slack.house import House
from bot.demo.slack.messages import Conversation, Message, message_payload
from bot.demo.slack.views import View, Views
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import Record

# The verification token: deprecated by Slack, and whoever trusts it is wrong.
LEGACY: Final = "legacy-and-ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who did it, and the rights that came with it."""

    user: str
    trigger_id: str
    response_url: str = ""


def message_action(space: Workspace, act: Act, message: Message, action: Record) -> Record:
    """A press in a message. An ephemeral message is not part of its own payload."""
    conversation = space.conversations[message.channel]
    container: Record = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    payload: Record = {
        **_common(space, act, "block_actions"),
        "container": container,
        "channel": {"id": message.channel, "name": channel_name(conversation)},
        "state": {"values": {}},
        "response_url": act.response_url,
        "actions": [action],
    }
    if message.only_for is None:
        payload["message"] = message_payload(message, space.house)
    return payload


def view_action(
    space: Workspace, act: Act, view: View, *, action: Record, values: Record
) -> Record:
    """A press in a modal or on the home tab: neither message nor channel."""
    return {
        **_common(space, act, "block_actions"),
        "container": {"type": "view", "view_id": view.id},
        "view": space.views.payload(view, values=values),
        "actions": [action],
    }


def submission(space: Workspace, act: Act, view: View, values: Record) -> Record:
    """The submit button of a modal."""
    return {
        **_common(space, act, "view_submission"),
        "view": space.views.payload(view, values=values),
        "response_urls": [],
    }


def closing(space: Workspace, act: Act, view: View, *, cleared: bool) -> Record:
    """The cross or the close button of a modal that asked to hear of it."""
    payload = _common(space, act, "view_closed")
    del payload["trigger_id"]
    return {**payload, "view": space.views.payload(view), "is_cleared": cleared}


def command_form(
    space: Workspace, act: Act, conversation: Conversation, *, command: str, words: str
) -> dict[str, str]:
    """A slash command: plain form fields, escaped as `should_escape` has it."""
    house = space.house
    return {
        "token": LEGACY,
        "team_id": house.team_id,
        "team_domain": house.team_domain,
        "channel_id": conversation.id,
        "channel_name": channel_name(conversation),
        "user_id": act.user,
        "user_name": space.users[act.user].name,
        "command": command,
        "text": words,
        "api_app_id": house.app_id,
        "is_enterprise_install": "false",
        "response_url": act.response_url,
        "trigger_id": act.trigger_id,
    }


def event_envelope(house: House, event: Record, *, event_id: str, at: int) -> Record:
    """An event of the Events API."""
    return {
        "token": LEGACY,
        "team_id": house.team_id,
        "context_team_id": house.team_id,
        "api_app_id": house.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": at,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": house.team_id,
                "user_id": house.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def home_opened(views: Views, user: str, at: str) -> Record:
    """The event of somebody who looks at the app's home tab."""
    event: Record = {"type": "app_home_opened", "user": user, "tab": "home", "event_ts": at}
    home = views.home(user)
    return event if home is None else {**event, "view": views.payload(home)}


def channel_name(conversation: Conversation) -> str:
    """The name that payloads give a conversation."""
    return conversation.name if conversation.channel is not None else "directmessage"


def _common(space: Workspace, act: Act, kind: str) -> Record:
    house = space.house
    user = space.users[act.user]
    return {
        "type": kind,
        "team": {"id": house.team_id, "domain": house.team_domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.team_id or house.team_id,
        },
        "api_app_id": house.app_id,
        "token": LEGACY,
        "trigger_id": act.trigger_id,
        "enterprise": None,
        "is_enterprise_install": False,
    }
